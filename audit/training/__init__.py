"""Training: a model that is being trained goes in; audits of it, step by step, come out."""

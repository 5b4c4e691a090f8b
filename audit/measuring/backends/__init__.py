"""Backends that run models: each is one module whose `load` returns a `MaskedLM`."""

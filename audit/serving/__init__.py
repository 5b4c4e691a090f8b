"""A model as an endpoint: a request and a model go in, the answer comes out."""

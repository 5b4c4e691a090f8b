"""Software that runs models: each backend is one module with a `load` that gives a `MaskedLM`."""

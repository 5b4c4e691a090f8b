"""Whether the audit's statistics do what they say, in simulated worlds whose truth is known.

`make validity` writes docs/validity.md, and `python -m maskaudit.audit.proving.validity` does it
without the part that needs models.
A module a topic makes tables of rows (`table`); the worlds are in `simulate`, the page in
`document`. What needs a model is measured by `maskaudit selftest --full`.
"""

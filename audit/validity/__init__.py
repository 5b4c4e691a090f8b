"""Whether the audit's statistics do what they say, in simulated worlds whose truth is known.

`python -m audit.validity` writes docs/validity.md; `make validity` does it for the whole document.
A module a topic makes tables of rows (`table`); the worlds are in `simulate`, the page in
`document`. What needs a model is measured by `maskaudit selftest --full`.
"""

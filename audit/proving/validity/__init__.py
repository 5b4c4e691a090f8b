"""Validation of the audit's statistics in simulations whose truth is known.

`make validity` writes docs/validity.md; `python -m maskaudit.audit.proving.validity` writes it
without the part that needs models, which `maskaudit selftest --full` measures.
Each topic is a module that makes tables of rows (`table`); the simulated data come from `simulate`,
the page from `document`.
"""

"""Contrasts in words: what is claimed of each, by its test, and how large it is."""

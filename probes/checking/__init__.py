"""Checks of a probe set: its parts against each other, its language, its size, what it tests."""

"""Masked text with its answers, from data of others or from plain text, as a set of items."""

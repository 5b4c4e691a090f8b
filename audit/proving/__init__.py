"""Proving: tests the instrument against known truth; only the command line imports it."""

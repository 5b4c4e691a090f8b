"""Verifying: a record goes in; what of it holds by its own tables, and what cannot be shown."""

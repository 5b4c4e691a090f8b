"""Sections of a page: a record goes in, finished strings come out."""

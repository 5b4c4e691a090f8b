"""Distilling: a teacher and a text go in; a student of half its layers comes out."""

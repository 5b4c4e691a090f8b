"""Sections about sets that cross attributes with frames: leans, and what became of them."""

"""Sections on sets that cross attributes with frames: leans, and how models change them."""

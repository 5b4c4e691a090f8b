"""Models reading: what is run, and what of it is kept."""

"""Charts as static SVG: the same numbers give the same bytes."""

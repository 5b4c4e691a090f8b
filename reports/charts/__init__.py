"""Charts as static SVG: finished marks go in, the same bytes for the same numbers come out."""

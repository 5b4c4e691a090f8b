"""Measuring: items, models and needs go in, scores come out."""

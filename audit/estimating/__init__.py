"""Estimating: scores go in, estimates with their uncertainty come out."""

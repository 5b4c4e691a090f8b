"""Estimating: turns scores into estimates with their uncertainty."""

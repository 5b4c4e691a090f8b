"""Scoring: models and items go in, each model's scores come out."""

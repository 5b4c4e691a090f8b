"""Checkpoints: find a model by its name or folder, and verify its files."""

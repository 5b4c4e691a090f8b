"""Checkpoints: a name or a folder goes in, what is proved of its files comes out."""

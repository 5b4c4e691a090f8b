"""Accepting: records go in, baselines that later versions are held against come out, in git."""

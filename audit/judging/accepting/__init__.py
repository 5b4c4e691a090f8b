"""Accepting: records go in; baselines, kept in git to compare later versions with, come out."""

"""Deciding: numbers with statistics of their own and their limits go in; decisions come out."""

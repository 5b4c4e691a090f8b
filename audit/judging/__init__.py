"""Judging: estimates and rules go in, verdicts come out."""

"""Comparing: two records, or a record and a baseline, go in; estimates of what changed come out."""

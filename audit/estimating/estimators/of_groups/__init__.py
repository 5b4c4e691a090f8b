"""Estimators of the log-odds between two groups, cell by cell."""

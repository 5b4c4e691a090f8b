"""Simulations of what is estimated: coverage of intervals, bias, errors of tests."""

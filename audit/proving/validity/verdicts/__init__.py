"""Simulations of what is decided: gates, baselines, weekly alarms, change points."""

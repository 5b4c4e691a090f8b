"""Probe sets: templated masked sentences as data, checked and expanded into items."""

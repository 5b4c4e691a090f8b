"""Probe sets: read templated masked sentences, check them, expand them to contexts and items."""

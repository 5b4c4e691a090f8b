"""Probe sets: templated masked sentences as data go in, checked contexts and items come out."""

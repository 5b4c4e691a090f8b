"""Probe sets: templated masked sentences as data, checked and expanded into items."""

from pkgutil import extend_path

# Somebody's project may have a plain folder of this name: its modules stay importable beside ours.
__path__ = extend_path(__path__, __name__)

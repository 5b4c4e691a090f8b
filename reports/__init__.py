"""Pages: what a record says, first as finished strings, then as HTML."""

from pkgutil import extend_path

# Somebody's project may have a plain folder of this name: its modules stay importable beside ours.
__path__ = extend_path(__path__, __name__)

"""Commands that check a record, an endpoint, or the instrument."""

"""Commands that judge records, versions, and what a card says."""

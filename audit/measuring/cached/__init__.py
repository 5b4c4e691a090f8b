"""The cache of scores: its keys, its entries, and whom it believes."""

"""Commands that show records, and write them in other forms."""

"""The text of a frame: placeholders, capitals by language, sentences drawn from a grammar."""

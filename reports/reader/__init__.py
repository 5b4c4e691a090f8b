"""The page that people read: a verdict, a picture, a sentence; all numbers stand in the details."""

"""A deployed model asked over HTTP: sentences and words go in, probabilities come out."""

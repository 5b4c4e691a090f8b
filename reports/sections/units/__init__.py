"""The section of a set of pairs, triples, completions, sentences or words."""

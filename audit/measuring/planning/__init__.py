"""Plan what is read: the pieces of words, the reads of measures, and what is joined."""

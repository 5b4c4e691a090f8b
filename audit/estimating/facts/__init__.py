"""Facts with known answers: ranks of the answers, accuracy, and whether a model is competent."""

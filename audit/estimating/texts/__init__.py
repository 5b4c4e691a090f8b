"""What results on masked text are told apart by, and the gaps between groups of it."""

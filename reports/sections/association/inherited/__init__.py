"""What a candidate keeps of its reference's leans, in sentences and tables."""

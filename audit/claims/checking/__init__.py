"""Claims held against what is known of a model and of an audit."""

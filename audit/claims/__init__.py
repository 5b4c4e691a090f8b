"""What a model card says of its model, as data, and whether it holds."""

"""The making of the bundled pair: its world, its training and its versions."""

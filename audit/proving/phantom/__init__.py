"""How the bundled pair is made: its world, its training and its versions."""

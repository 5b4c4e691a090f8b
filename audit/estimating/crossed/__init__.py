"""Numbers of sets whose attributes all stand in the same frames: cells and contrasts."""

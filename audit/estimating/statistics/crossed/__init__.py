"""Statistics of tables of attributes by frames: means, contrasts, and how their parts vary."""

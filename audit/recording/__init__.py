"""Recording: typed values go in; files, written whole or not at all, come out."""

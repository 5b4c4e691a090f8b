"""A published set as rows: its file read in any encoding, and the folder of an import."""

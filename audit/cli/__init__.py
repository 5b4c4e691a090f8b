"""The command line: words in, a line or a table and an exit code out; no arithmetic."""

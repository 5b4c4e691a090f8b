"""Text from outside: files and lexicons read, characters compared, names made printable."""

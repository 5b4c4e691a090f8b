"""What a record holds, as typed values, goes in, and files written whole or not at all come out."""

"""Records: tables and a typed manifest go in, one sealed folder on disk comes out, and back."""

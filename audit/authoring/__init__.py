"""For authors of probe sets: a set or a word list goes in, and what is known of it comes out."""

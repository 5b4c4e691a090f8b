"""What is known of each number: its name, meaning, harm and test."""

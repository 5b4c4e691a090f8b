"""What the tables of a record hold: columns, values, and which rows are due."""

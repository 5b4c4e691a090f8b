"""Claims that a card is seen to make, as a first file of them."""

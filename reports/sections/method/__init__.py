"""The closing sections: what was lost, what cannot be shown, and the method."""

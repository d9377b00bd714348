"""What is kept of the way of a message, as values."""

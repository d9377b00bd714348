"""A corpus of mail that is the same for the same seed, and what a right server answers about it."""

"""``twisted-mail queue``: what waits, why, and what an operator does about it."""

"""``store import``, and the sources it reads from."""

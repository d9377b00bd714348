"""``twisted-mail store``: look after mail on disk while the server runs."""

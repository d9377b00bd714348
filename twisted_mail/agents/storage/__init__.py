"""``twisted-mail store``: look after mail on disk, beside the running server."""

"""``twisted-mail store``: check, repair, import, export and back up mail while the server runs."""

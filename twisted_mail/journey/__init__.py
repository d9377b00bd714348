"""THE WAY OF A MESSAGE: its events and the dialogues about it, kept for some days and found again."""

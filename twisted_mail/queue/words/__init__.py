"""The operator's words: which recipients they select, what they do to them, and their answers."""

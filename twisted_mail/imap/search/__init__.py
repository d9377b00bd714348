"""SEARCH: its keys, how they are read, and how they are evaluated (RFC 3501 §6.4.4)."""

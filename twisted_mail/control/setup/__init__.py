"""Setting up a new server: ``init``, the demonstration, certificates."""

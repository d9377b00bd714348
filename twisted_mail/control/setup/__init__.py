"""A server where there was none: ``init``, the demonstration, certificates."""

"""``store backup`` and ``store restore``."""

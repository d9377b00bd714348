"""``store export``, and the formats it writes."""

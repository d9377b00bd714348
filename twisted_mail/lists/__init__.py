"""Mailing lists: what comes to their addresses, who may write, and the copies for their members."""

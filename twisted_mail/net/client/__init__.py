"""Connections that we open to other programs: a plain one, and requests by HTTP."""

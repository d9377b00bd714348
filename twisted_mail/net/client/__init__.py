"""Connections that we open to other programs and hosts."""

"""Connections that come to us: listeners, conversations, TLS, and their limits."""

"""Twisted, once: the conversation, its outlet, TLS, threads and time."""

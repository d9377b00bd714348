"""Connections that come to us: listeners, conversations, TLS, and their limits.

``listener`` accepts connections, and ``listening`` counts them; ``conversation`` is one of them, from
its first octet to its last, with its ``outlet``, ``read_buffer`` and ``security``. ``proxied`` reads the
header of a proxy first.
"""

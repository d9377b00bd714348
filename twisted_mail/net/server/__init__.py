"""Connections that come to us: what we listen on, and how many may come.

``listener`` accepts connections, and ``listening`` counts them; each is a conversation of
``connection``. ``proxied`` reads the header of a proxy first.
"""

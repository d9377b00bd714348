"""One connection, from its first octet to its last: reading, writing, TLS, and the limits of time.

``conversation`` is what Twisted calls, ``wire`` what a session sees of it. May import what all of
``net`` may.
"""

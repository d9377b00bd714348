"""Twisted, once: what comes from the reactor; other rooms see only its doors.

``server`` has what we listen on, ``connection`` one connection that came to us, ``client`` those that
we open, ``dns`` the resolver, and ``process`` threads, time and files. May import Twisted, ``mail`` and
``interfaces``.
"""

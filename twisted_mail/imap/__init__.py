"""IMAP4rev1 (RFC 3501) and its extensions.

Read in this order: ``command`` (what a command is), ``grammar`` and ``framing`` (octets to commands),
``session`` (one conversation), ``view`` (what one client has been told), then ``commands``, a file for
each family, and what they compute with: ``listing`` and ``patterns``; ``items``, ``plan`` and ``texts``
for FETCH; ``criteria`` and ``program`` for SEARCH; ``render``, which the store calls.
"""

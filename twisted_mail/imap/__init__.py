"""IMAP4rev1 (RFC 3501) and its extensions.

Read in this order: ``command_definition`` (what a command is), ``grammar`` and ``framing`` (octets to
commands), ``loop`` and ``session`` (one conversation), ``selected`` and ``view`` (what one client has
been sent), then ``commands``, a file for each family, and what they compute with: ``mailboxes`` for LIST
and STATUS, ``fetch``, ``search``.
"""

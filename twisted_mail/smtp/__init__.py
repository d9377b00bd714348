"""SMTP and submission: grammar, framing, session (RFC 5321, RFC 6409), and LMTP (RFC 2033).

The server's side, in the order to read it: ``loop`` holds a conversation, ``session`` is what commands
know of it, ``commands.table`` names them, ``arrival`` is what happens to a message at its end, and
``extensions.table`` is what EHLO offers. Below them are ``stream`` (octets), ``framing`` (lines),
``grammar`` and ``replies``.
"""

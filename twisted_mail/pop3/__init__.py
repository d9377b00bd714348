"""POP3 (RFC 1939) and its extensions (RFC 2449, RFC 2595, RFC 3206, RFC 5034).

Read in this order: ``loop`` and ``session`` (one conversation), ``commands``, a file for each state,
and what they work on: ``locked_maildrop`` with its ``snapshot``. ``framing`` and ``grammar`` turn
octets into commands and messages into replies. Knows ``mail`` and ``interfaces``.
"""

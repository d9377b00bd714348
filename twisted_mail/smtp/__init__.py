"""SMTP (RFC 5321) and message submission (RFC 6409).

The server's side, in the order to read it: ``session`` holds a conversation, ``commands`` is the table of
what it may do, ``login``, ``recipients``, ``reception``, ``chunks`` and ``enquiry`` are the larger
commands, ``extensions.table`` is what EHLO offers, ``session`` is what all of them know. Below them
``grammar`` reads command lines, ``framing`` and ``data`` cut the stream, ``incoming`` is a message on its
way in, ``trace`` writes the header fields in front of it, and ``replies`` is what the server says.
"""

"""SMTP (RFC 5321) and message submission (RFC 6409).

The server's side, in the order to read it: ``session`` holds a conversation, ``commands`` is the table of
what it may do, ``login``, ``reception`` and ``enquiry`` are the larger commands, ``state`` is what all of
them know. Below them ``grammar`` reads command lines, ``framing`` and ``data`` cut the stream, ``trace``
writes the header fields in front of a message, and ``replies`` is what the server says.
"""

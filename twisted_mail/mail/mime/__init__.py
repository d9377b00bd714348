"""What is in a message: header fields, parts, encodings; read leniently, altered exactly.

``structure`` finds the parts and ``sections`` names octets in them; ``header``, ``parameters`` and
``encoding`` read what is in them; ``revision`` applies edits, and ``matching`` searches.
"""

"""What is in a message: header fields, parts, encodings; read leniently, altered exactly.

``structure`` finds the parts and ``sections`` names octets in them; ``header``, ``parameters`` and
``encoding`` read what is in them; ``edited_message`` applies edits, and ``substring_search`` searches.
"""

"""The vocabulary: values and pure functions about mail.

Nothing here does input or output. It may import the standard library and ``idna``, and no other room.
"""

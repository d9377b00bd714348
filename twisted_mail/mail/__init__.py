"""The vocabulary: values and pure functions about mail.

Nothing here performs input or output, and nothing here imports another room.
"""

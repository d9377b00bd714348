"""Looking for damage, mending it, and bringing mail in and out of an account whole.

May import every room of the store but ``memory``.
"""

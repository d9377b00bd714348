"""Looking for damage, mending it, and bringing mail in and out of an account whole.

May import ``work`` and the rooms below it.
"""

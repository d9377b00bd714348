"""What is in messages: ranges of their files, and the items rendered from them.

May import ``work`` and the rooms below it.
"""

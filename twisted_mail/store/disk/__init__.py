"""System calls and durable files: every call of the store to the operating system is made here.

May import the vocabulary and the doors; nothing else of the store.
"""

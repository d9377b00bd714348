"""The same doors with everything in memory: for tests, and for reading what a store must do.

May import the vocabulary and the doors only.
"""

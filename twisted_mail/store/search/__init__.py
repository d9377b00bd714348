"""SEARCH: the full-text index, and exact answers from it and from the files.

May import the rooms below ``account``.
"""

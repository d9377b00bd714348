"""SEARCH: the full-text index, and exact answers from it and from the files.

May import ``reading`` and ``work``, and the rooms below them.
"""

"""The index: a cache in SQLite of what the files say, made again from them when it is lost.

May import ``disk`` and ``format``.
"""

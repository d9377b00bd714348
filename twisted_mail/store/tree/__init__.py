"""One account on disk as this process knows it, and the transactions in which work is done on it.

May import ``trash`` and the rooms below it: ``disk``, ``format`` and ``index``.
"""

"""One account on disk as this process knows it, and the transactions in which work is done on it.

May import ``disk``, ``format``, ``index`` and ``trash``.
"""

"""What is done to an account's files and index, one piece of work at a time, in a thread.

May import ``disk``, ``format``, ``index`` and ``trash``.
"""

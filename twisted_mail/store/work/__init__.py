"""What is done to an account's files and index, one piece of work at a time, in a thread.

May import ``tree`` and the rooms below it: ``disk``, ``format``, ``index`` and ``trash``.
"""

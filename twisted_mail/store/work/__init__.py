"""What is done to an account's files and index, one piece of work at a time, and the lane it is done in.

May import ``tree`` and the rooms below it: ``disk``, ``format``, ``index`` and ``trash``.
"""

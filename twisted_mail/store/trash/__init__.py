"""Expunged mail, kept for some days so that it can be brought back.

May import ``disk``, ``format`` and ``index``.
"""

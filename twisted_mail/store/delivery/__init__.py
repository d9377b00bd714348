"""Delivery into inboxes: written, synced in groups, and named; no index is touched.

May import ``disk``, ``format``, and of ``work`` the making of maildirs.
"""

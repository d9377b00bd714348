"""What Maildir++ and Dovecot write into an account's folder: names, lists and locks, byte for byte.

May import ``disk``.
"""

"""The doors Account and Mailbox on the reactor thread, and the mailboxes that sessions have open.

May import ``search`` and ``reading``, ``work`` and ``tree``, and the rooms below them.
"""

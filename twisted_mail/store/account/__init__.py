"""The doors Account and Mailbox on the reactor thread, and open mailboxes in memory.

May import every room of the store but ``delivery``, ``repair`` and ``memory``.
"""

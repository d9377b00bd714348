"""The whole electronic mail system in one Twisted process.

Read in this order:

1. ``interfaces``: every door between rooms, and so the plan of the house.
2. ``mail``: the vocabulary. Addresses, envelopes, messages, flags, changes, outcomes.
3. ``net.connection.conversation``: the one server protocol that every session is spoken through.
4. ``pop3.loop``, ``smtp.loop``, ``imap.loop``: one conversation each, without Twisted.
5. ``store.account.account``: where mail lives, and what an OK promises.
6. ``assembly.assembly`` makes everything and connects it; ``service`` starts and stops it.

``ARCHITECTURE.md`` has the tree, the floors and the three paths of a message.
"""

__version__ = "0.1.0"

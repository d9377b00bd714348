"""The whole electronic mail system in one Twisted process.

Read in this order:

1. ``interfaces``: every door between rooms, and so the plan of the house.
2. ``mail``: the vocabulary. Addresses, envelopes, messages, flags, changes, outcomes.
3. ``net.server.conversation``: the one server protocol that every session is spoken through.
4. ``smtp.loop``, ``pop3.loop``, ``imap.session``: one conversation each, without Twisted.
5. ``store.account.account``: where mail lives, and what an OK promises.
6. ``service``: makes everything and connects everything.

``ARCHITECTURE.md`` has the tree, the floors and the three paths of a message.
"""

__version__ = "0.1.0.dev0"

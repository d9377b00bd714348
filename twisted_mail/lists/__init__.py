"""Mailing lists: what comes to their addresses, who may post, and the copies for their members.

``admission`` decides before a message is accepted, ``transport`` does what it asks for afterwards.
``interfaces.MailingListStore`` has the lists with their members. Knows ``mail`` and ``interfaces``.
"""

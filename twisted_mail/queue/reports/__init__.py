"""Reports to senders: what has become of their mail (RFC 3461, RFC 3464, RFC 6522, RFC 6533).

``reports`` is the door: it asks ``rules`` whether a report is due, reads the ``original`` message, and
finds the way back to its sender. ``composition`` puts the report together: the ``explanation`` for
people, in the operator's ``templates`` and ``sentences``, the ``delivery_status`` for programs, and what
is ``returned`` of the message. ``acceptance`` knows what is reported of mail that stays here.
"""

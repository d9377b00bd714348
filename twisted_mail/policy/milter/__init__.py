"""Mail filters of other programs, by the protocol of Sendmail's milters, on the side of the mail server.

``packets`` and ``answers`` are the grammar, ``talk`` is one connection to a filter, ``filter`` the door.
There is no standard; the protocol is what libmilter, Sendmail's library for filters, reads and writes.
"""

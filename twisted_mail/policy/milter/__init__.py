"""Milters: mail filters of other programs, by Sendmail's protocol, from the mail server's side.

``packets``, ``commands`` and ``replies`` are the grammar, ``negotiation`` opens a ``connection``, and
``filter`` is the filter of ours. There is no standard; the protocol is what libmilter, Sendmail's library
for filters, reads and writes.
"""

"""Service extensions (RFC 5321 §2.2): what EHLO offers, and the parameters of MAIL and RCPT.

``table`` has them all; each other file says how the parameters of one subject are read. What the queue
does not promise to keep is neither offered nor taken.
"""

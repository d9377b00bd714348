"""SEARCH (RFC 3501 §6.4.4).

``parser`` reads a program into criteria with the keys it is given (``key`` is what one is, ``keys`` those
of the base); ``evaluation`` narrows the messages by ``criteria`` and by ``groups`` of them. A command
makes both itself: ``parser.parse`` (or ``parse_in``), then ``selected.evaluator_of(session)``.
"""

"""Whether mail may come in: the filters, and the chain in which they are asked.

``filter_chain`` asks them; ``checks`` are about the client and its sender, ``limits`` count, ``scanners``
and ``milter`` ask other programs, and ``greylist`` lets unknown clients try again.
"""

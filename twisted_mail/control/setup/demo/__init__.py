"""The demonstration: two servers on loopback, each for a domain, and a DNS that both ask.

``folders`` makes what they need, ``texts`` has what is written and printed, ``surroundings`` runs the DNS and the
second server beside the first one.
"""

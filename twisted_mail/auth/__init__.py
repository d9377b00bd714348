"""Who are you? Passwords, the one portal (twisted.cred), and the avatar that a login gets.

``sasl`` has the mechanisms; ``realm`` the portal and the login doors over it; ``checkers`` check
passwords, ``throttle`` slows down guessing; ``avatars`` is an account with a face for each protocol.
All but ``sasl`` may import Twisted.
"""

"""Remembers correct passwords for a while: mail programs log in again every few minutes.

What is kept is not the password but an HMAC of it, with a key that is gone with the process. The
account's hash is part of it, so a changed password counts at once.
"""

import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable


class PasswordCache:
    """Correct logins, each for ``seconds``; at most ``limit``, of which the oldest are dropped first."""

    def __init__(self, seconds: float, limit: int, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._limit = limit if seconds else 0
        self._monotonic = monotonic
        self._secret = os.urandom(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def add(self, stored: str, name: str, password: str) -> None:
        """Remember a login that was correct for a stored hash."""
        digest = self._digest(stored, name, password)
        self._until[digest] = self._monotonic() + self._seconds
        self._until.move_to_end(digest)
        while len(self._until) > self._limit:
            self._until.popitem(last=False)

    def has(self, stored: str, name: str, password: str) -> bool:
        """Return whether the same login was correct a short while ago."""
        digest = self._digest(stored, name, password)
        until = self._until.get(digest)
        if until is None or until > self._monotonic():
            return until is not None
        del self._until[digest]
        return False

    def _digest(self, stored: str, name: str, password: str) -> bytes:
        hashed = stored.encode("utf-8", "surrogatepass")
        account = name.encode("utf-8", "surrogatepass")
        secret = password.encode("utf-8", "surrogatepass")
        # Lengths in front: no two triples give one text.
        text = b"%d %d %b%b%b" % (len(hashed), len(account), hashed, account, secret)
        return hmac.digest(self._secret, text, hashlib.sha256)

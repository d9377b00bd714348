"""The endpoint strings by which filters of other programs are reached."""

import re

_TCP = re.compile(r"tcp:(?:host=)?(?:[^:\\]|\\.)+:(?:port=)?(\d{1,5})(?::[a-zA-Z]+=[^:]+)*")
_UNIX = re.compile(r"unix:(?:path=)?/[^:\0]+")


def check_endpoint(text: str) -> None:
    """Raise ValueError for what is neither ``tcp:host:port`` nor ``unix:/path``."""
    found = _TCP.fullmatch(text)
    if (found is None or not 0 < int(found[1]) < 65536) and not _UNIX.fullmatch(text):
        raise ValueError(f"endpoint must be 'tcp:host:port' or 'unix:/path', not {text!r}")

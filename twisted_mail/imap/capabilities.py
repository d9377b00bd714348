"""What the server says it can do (RFC 3501 §7.2.1), before login and after it."""

from collections.abc import Sequence

from twisted_mail.interfaces import Mechanism, Wire, usable_mechanisms

_ALWAYS = ("IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE")

# Kept short before login: what follows is of no use there, and each greeting carries the list.
_AFTER_LOGIN = (
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    "OBJECTID",
    "XLIST",
)


def before_login(wire: Wire, mechanisms: Sequence[Mechanism]) -> str:
    """Return the capabilities of a connection on which nobody has logged in."""
    words = list(_ALWAYS)
    if wire.may_start_tls:
        words.append("STARTTLS")
    if not wire.takes_passwords:
        words.append("LOGINDISABLED")
    usable = usable_mechanisms(mechanisms, wire.takes_passwords)
    words += [f"AUTH={mechanism.name}" for mechanism in usable]
    return " ".join(words)


def after_login(max_size: int) -> str:
    """Return the capabilities of a session; ``max_size`` is APPEND's (RFC 7889 §4)."""
    return " ".join((*_ALWAYS, *_AFTER_LOGIN, f"APPENDLIMIT={max_size}"))

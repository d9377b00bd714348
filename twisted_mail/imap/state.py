"""The states of an IMAP connection, and the sets of them in which commands are allowed (RFC 3501 §3)."""

from enum import Enum


class State(Enum):
    """The states of a connection; logout is the end of the session itself."""

    NOT_AUTHENTICATED = "before login"
    AUTHENTICATED = "after login"
    SELECTED = "with a mailbox selected"


ANY = frozenset(State)
BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED = frozenset({State.SELECTED})

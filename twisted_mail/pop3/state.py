"""The states of a POP3 session (RFC 1939 §3). UPDATE is what QUIT does in TRANSACTION."""

from enum import Enum


class State(Enum):
    """How far a session is; decides which commands are possible."""

    AUTHORIZATION = "before login"
    TRANSACTION = "after login"


BEFORE_LOGIN = frozenset({State.AUTHORIZATION})
AFTER_LOGIN = frozenset({State.TRANSACTION})
ALWAYS = frozenset(State)

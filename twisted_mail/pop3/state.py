"""The states of a POP3 session (RFC 1939 §3). UPDATE is what QUIT does in TRANSACTION."""

from enum import Enum


class State(Enum):
    """How far a session is; decides which commands are possible."""

    AUTHORIZATION = "before login"
    TRANSACTION = "after login"


BEFORE_LOGIN = (State.AUTHORIZATION,)
AFTER_LOGIN = (State.TRANSACTION,)
ALWAYS = tuple(State)

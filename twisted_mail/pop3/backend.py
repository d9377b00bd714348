"""The doors between a POP3 session and the rest of the house."""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import Clock, Journal, Login, Maildrop, Mechanism


@dataclass(frozen=True, slots=True)
class Pop3Backend:
    """The doors a POP3 session needs; the fields are those of ``twisted_mail.plugin.Pop3Backend``."""

    hostname: str
    clock: Clock
    journal: Journal
    mechanisms: Sequence[Mechanism]
    login_maildrop: Login[Maildrop]

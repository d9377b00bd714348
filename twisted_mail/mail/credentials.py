"""Credentials: what a peer says to prove who it is."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password. ``acting_as`` is the SASL authorization identity, or empty.

    ``mechanism`` says for the log how they came: by a SASL mechanism, or the command that named the user.
    The password is kept out of every representation of the value.
    """

    name: str
    password: str = field(repr=False)
    acting_as: str = ""
    mechanism: str = field(default="", compare=False)

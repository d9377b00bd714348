"""What the server says it can do, in answer to CAPA (RFC 2449 §5, §6)."""

from collections.abc import Iterable

from twisted_mail.interfaces import Mechanism, Wire, usable_mechanisms
from twisted_mail.pop3.state import State

_ALWAYS = (
    "TOP",
    "UIDL",
    "PIPELINING",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "EXPIRE NEVER",
    "IMPLEMENTATION twisted_mail",
)


def capabilities(wire: Wire, mechanisms: Iterable[Mechanism], state: State) -> list[str]:
    """Return the lines of the reply to CAPA.

    SASL and USER are listed after login too, as RFC 5034 §3 and RFC 2449 §5 want it; STLS only where
    the command can succeed (RFC 2595 §4).
    """
    lines = list(_ALWAYS)
    if wire.takes_passwords:
        lines.append("USER")
    if usable := usable_mechanisms(mechanisms, wire.takes_passwords):
        lines.append(f"SASL {' '.join(mechanism.name for mechanism in usable)}")
    if wire.may_start_tls and state is State.AUTHORIZATION:
        lines.append("STLS")
    return lines

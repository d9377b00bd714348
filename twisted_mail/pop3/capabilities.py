"""What CAPA tells (RFC 2449 §5, §6)."""

from twisted_mail.interfaces import usable_mechanisms
from twisted_mail.pop3.session import Pop3Session

_ALWAYS = (
    "TOP",
    "UIDL",
    "PIPELINING",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "EXPIRE NEVER",
    "IMPLEMENTATION twisted_mail",
)


def write_capabilities(talk: Pop3Session, is_logged_in: bool) -> None:
    """Write the reply to CAPA.

    SASL and USER are told after login too, as RFC 5034 §3 and RFC 2449 §5 want it; STLS only where the
    command can succeed (RFC 2595 §4).
    """
    lines = list(_ALWAYS)
    if talk.wire.takes_passwords:
        lines.append("USER")
    usable = usable_mechanisms(talk.backend.mechanisms, talk.wire.takes_passwords)
    if usable:
        lines.append(f"SASL {' '.join(mechanism.name for mechanism in usable)}")
    if talk.wire.may_start_tls and not is_logged_in:
        lines.append("STLS")
    talk.open_reply("Capability list follows")
    talk.close_reply("".join(f"{line}\r\n" for line in lines).encode() + b".\r\n")

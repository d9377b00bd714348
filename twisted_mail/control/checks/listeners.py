"""The listeners, as ``twisted-mail check`` sees them."""

from collections.abc import Iterator

from twisted_mail.config import Config, ListenerConfig, endpoints
from twisted_mail.config.endpoints import Endpoint
from twisted_mail.control.checks import ports
from twisted_mail.control.checks.note import Level, Note
from twisted_mail.control.checks.systemd import systemd_note
from twisted_mail.net.server.endpoints import unix_mode

_WITH_LOGIN = ("submission", "imap", "pop3")  # where nothing works without one
_LEVELS: dict[ports.PortState, Level] = {
    "free": "fine",
    "ours": "fine",
    "unknown": "fine",
    "forbidden": "warning",
    "homeless": "warning",  # the program that starts the server may make the folder
    "taken": "fault",
    "impossible": "fault",
}


def listener_notes(config: Config) -> Iterator[Note]:
    """Check that each listener can have its endpoint, and that somebody can log in there."""
    for listener in config.listeners:
        endpoint = endpoints.parse(listener.endpoint)
        subject = f"{listener.service} on {listener.endpoint}"
        if endpoint.kind == "systemd":
            yield systemd_note(subject, listener.endpoint)
        else:
            finding = ports.probe(endpoint)
            yield Note(_LEVELS[finding.state], subject, finding.text)
        yield from _open_to_strangers(listener, endpoint, subject)
        if (
            listener.service in _WITH_LOGIN
            and listener.tls == "none"
            and not listener.cleartext_passwords
        ):
            yield Note("warning", subject, "nobody can log in here: there is no TLS")


def _open_to_strangers(
    listener: ListenerConfig, endpoint: Endpoint, subject: str
) -> Iterator[Note]:
    """Look for listeners that more can reach than an operator thinks of."""
    if endpoint.kind == "unix" and unix_mode(listener.endpoint) & 0o002:
        text = "every user of this machine can connect: :mode=660 lets the group alone do so"
        yield Note("warning", subject, text)
    is_guarded = endpoint.is_local or listener.proxy or endpoint.kind == "systemd"
    if listener.service == "lmtp" and not is_guarded:
        text = (
            "whoever reaches this port delivers mail without a login, past all filters of port 25:"
            " use a UNIX socket, or interface=127.0.0.1, or keep others out by a firewall"
        )
        yield Note("warning", subject, text)

"""The listeners, as ``twisted-mail check`` sees them."""

from collections.abc import Iterator

from twisted_mail.config import Config, endpoints
from twisted_mail.control.checks import ports
from twisted_mail.control.checks.note import Level, Note

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
        finding = ports.probe(endpoints.parse(listener.endpoint))
        subject = f"{listener.service} on {listener.endpoint}"
        yield Note(_LEVELS[finding.state], subject, finding.text)
        if (
            listener.service in _WITH_LOGIN
            and listener.tls == "none"
            and not listener.cleartext_passwords
        ):
            yield Note("warning", subject, "nobody can log in here: there is no TLS")

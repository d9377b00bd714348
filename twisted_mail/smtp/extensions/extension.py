"""What a service extension is, and the refusals that its parameters share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.smtp.session import SmtpSession


@dataclass(frozen=True, slots=True)
class ExtensionParameter:
    """A parameter of MAIL or RCPT: the field of ``MailParameters`` or ``DsnRequest`` that it fills.

    ``read`` is given the value, or None, and raises ProtocolError.
    """

    name: str
    field: str
    read: Callable[[SmtpSession, str | None], object]


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: its keyword in EHLO, when it is offered, and what it adds to MAIL and RCPT.

    ``about`` is what HELP says. Without ``is_offered`` it always is; ``value`` is what follows the
    keyword. ``refusal`` is what a parameter is answered where the extension is not offered, if that is
    not simply that it is unknown.
    """

    keyword: str
    about: str
    is_offered: Callable[[SmtpSession], bool] | None = None
    value: Callable[[SmtpSession], str] | None = None
    mail: tuple[ExtensionParameter, ...] = ()
    rcpt: tuple[ExtensionParameter, ...] = ()
    refusal: Callable[[SmtpSession], Outcome] | None = None

    def is_offered_to(self, session: SmtpSession) -> bool:
        """Return whether the extension is offered on the line as it is now."""
        if self.keyword in session.settings.hidden_keywords:
            return False
        return self.is_offered is None or self.is_offered(session)


def malformed(text: str, enhanced: str = "5.5.4") -> NoReturn:
    """Refuse a value that breaks its grammar."""
    raise ProtocolError(Outcome(501, enhanced, text))


def read_flag(name: str) -> Callable[[SmtpSession, str | None], bool]:
    """Return what reads a parameter that has no value."""

    def read(session: SmtpSession, value: str | None) -> bool:
        if value is not None:
            malformed(f"{name} has no value")
        return True

    return read


def if_promised(keyword: str) -> Callable[[SmtpSession], bool]:
    """Return a function that returns whether the queue keeps what the extension promises."""
    return lambda session: keyword in session.backend.queue.supported_keywords


def if_promised_to_submission(keyword: str) -> Callable[[SmtpSession], bool]:
    """Return one that returns the same, for extensions that are for submission (RFC 6409) alone."""
    return lambda session: (
        session.settings.requires_login and keyword in session.backend.queue.supported_keywords
    )

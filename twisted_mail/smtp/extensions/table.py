"""All extensions, in the order of EHLO's lines, and the reading of what they add to MAIL and RCPT."""

from collections.abc import Iterable, Mapping
from typing import Any

from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.smtp.extensions import auth_requiretls, dsn, scheduling, size_body, xclient
from twisted_mail.smtp.extensions.extension import (
    Extension,
    ExtensionParameter,
    if_promised,
    if_promised_to_submission,
    malformed,
    read_flag,
)
from twisted_mail.smtp.grammar import Parameters
from twisted_mail.smtp.session import SmtpSession

EXTENSIONS = (
    Extension("PIPELINING", "commands may be sent before earlier ones are answered (RFC 2920)"),
    Extension(
        "SIZE",
        "MAIL FROM:<address> SIZE=octets announces the size of the message (RFC 1870)",
        value=lambda session: str(session.settings.max_size),
        mail=(ExtensionParameter("SIZE", "size", size_body.read_size),),
    ),
    Extension(
        "STARTTLS",
        "the connection can be encrypted (RFC 3207)",
        lambda session: session.wire.may_start_tls,
    ),
    Extension(
        "AUTH",
        "users can log in (RFC 4954); MAIL FROM:<address> AUTH=address says who wrote the message",
        lambda session: bool(auth_requiretls.offered_mechanisms(session)),
        lambda session: " ".join(one.name for one in auth_requiretls.offered_mechanisms(session)),
    ),
    Extension("ENHANCEDSTATUSCODES", "replies have a second code (RFC 2034)"),
    Extension(
        "8BITMIME",
        "MAIL FROM:<address> BODY=8BITMIME announces octets above 127 (RFC 6152)",
        mail=(ExtensionParameter("BODY", "body", size_body.read_body),),
    ),
    Extension(
        "SMTPUTF8",
        "MAIL FROM:<address> SMTPUTF8 announces addresses and header in UTF-8 (RFC 6531)",
        mail=(ExtensionParameter("SMTPUTF8", "is_utf8", read_flag("SMTPUTF8")),),
    ),
    Extension(
        "CHUNKING",
        "BDAT octets [LAST] sends a message in chunks (RFC 3030)",
        size_body.offers_chunks,
    ),
    Extension(
        "BINARYMIME",
        "MAIL FROM:<address> BODY=BINARYMIME announces any octets, by BDAT (RFC 3030)",
        size_body.offers_chunks,
    ),
    Extension(
        "DSN",
        "MAIL has RET and ENVID, RCPT has NOTIFY and ORCPT, about reports (RFC 3461)",
        if_promised("DSN"),
        mail=(
            ExtensionParameter("RET", "returns", dsn.read_ret),
            ExtensionParameter("ENVID", "envid", dsn.read_envid),
        ),
        rcpt=(
            ExtensionParameter("NOTIFY", "events", dsn.read_notify),
            ExtensionParameter("ORCPT", "original", dsn.read_orcpt),
        ),
    ),
    Extension(
        "REQUIRETLS",
        "MAIL FROM:<address> REQUIRETLS wants TLS all the way (RFC 8689)",
        auth_requiretls.offers_requiretls,
        mail=(ExtensionParameter("REQUIRETLS", "requires_tls", read_flag("REQUIRETLS")),),
        refusal=auth_requiretls.requiretls_refusal,
    ),
    Extension(
        "LIMITS",
        "how much is taken (RFC 9422)",
        value=lambda session: _limits(session),
    ),
    Extension(
        "FUTURERELEASE",
        "MAIL FROM:<address> HOLDFOR=seconds or HOLDUNTIL=time sends later (RFC 4865)",
        if_promised_to_submission("FUTURERELEASE"),
        scheduling.hold_limits,
        mail=(
            ExtensionParameter("HOLDFOR", "future_release", scheduling.read_hold_for),
            ExtensionParameter("HOLDUNTIL", "future_release", scheduling.read_hold_until),
        ),
    ),
    Extension(
        "DELIVERBY",
        "MAIL FROM:<address> BY=seconds;N or seconds;R wants delivery in time (RFC 2852)",
        if_promised_to_submission("DELIVERBY"),
        scheduling.least_deliver_by,
        mail=(ExtensionParameter("BY", "deliver_by", scheduling.read_by),),
    ),
    Extension(
        "MT-PRIORITY",
        "MAIL FROM:<address> MT-PRIORITY=number, from -9 to 9 (RFC 6710)",
        if_promised_to_submission("MT-PRIORITY"),
        mail=(ExtensionParameter("MT-PRIORITY", "priority", scheduling.read_priority),),
    ),
    Extension(
        "EXPN",
        "EXPN address says who is on a list (RFC 5321)",
        lambda session: session.is_among(session.settings.expn_for),
    ),
    Extension(
        "XCLIENT",
        "XCLIENT attribute=value says which client a proxy brings (Postfix, XCLIENT_README)",
        xclient.is_trusted,
        xclient.attributes,
    ),
    Extension("HELP", "HELP [command or extension] (RFC 5321)"),
)

# Wherever logins are taken, known or not (RFC 4954 §5).
_AUTH = Extension(
    "AUTH",
    "",
    lambda session: session.settings.offers_login,
    mail=(ExtensionParameter("AUTH", "originator", auth_requiretls.read_originator),),
)


def _limits(session: SmtpSession) -> str:
    """Return the limits that a client may run into (RFC 9422 §4)."""
    settings = session.settings
    most = f"MAILMAX={settings.max_messages} " if settings.max_messages else ""
    return f"{most}RCPTMAX={settings.max_recipients}"


def _by_name(
    rows: Iterable[tuple[Extension, tuple[ExtensionParameter, ...]]],
) -> Mapping[str, tuple[Extension, ExtensionParameter]]:
    return {one.name: (extension, one) for extension, parameters in rows for one in parameters}


MAIL_PARAMETERS = _by_name((one, one.mail) for one in (*EXTENSIONS, _AUTH))
RCPT_PARAMETERS = _by_name((one, one.rcpt) for one in EXTENSIONS)


def ehlo_reply(session: SmtpSession) -> bytes:
    """Return the answer to EHLO: what is offered on the line as it is now (RFC 5321 §4.1.1.1)."""
    hidden = session.settings.hidden_keywords
    *others, last = [
        session.backend.hostname,
        *[
            one.keyword if one.value is None else f"{one.keyword} {one.value(session)}"
            for one in EXTENSIONS
            if (one.is_offered is None or one.is_offered(session)) and one.keyword not in hidden
        ],
    ]
    return ("".join([f"250-{line}\r\n" for line in others]) + f"250 {last}\r\n").encode()


def offered_keywords(session: SmtpSession) -> list[str]:
    """Return the keywords of what is offered."""
    return [one.keyword for one in EXTENSIONS if one.is_offered_to(session)]


def help_lines(session: SmtpSession, keyword: str) -> list[str]:
    """Return what HELP says of an extension that is offered."""
    found = [one for one in EXTENSIONS if one.keyword == keyword and one.is_offered_to(session)]
    return [f"{one.keyword}: {one.about}" for one in found]


async def read_mail(session: SmtpSession, parameters: Parameters) -> MailParameters:
    """Return what the parameters of MAIL ask for.

    Raises ProtocolError, with 555 for one that is not offered (RFC 5321 §4.1.1.11).
    """
    mail_parameters = MailParameters(**_read(session, parameters, MAIL_PARAMETERS))
    hold, deliver_by = mail_parameters.future_release, mail_parameters.deliver_by
    if hold and deliver_by and hold.until > deliver_by.deadline:  # RFC 4865 §5.2.2
        malformed("The message would be held for longer than it has to be delivered")
    return (
        mail_parameters
        if mail_parameters.originator.is_null
        else await auth_requiretls.without_untrusted_originator(session, mail_parameters)
    )


def read_rcpt(session: SmtpSession, parameters: Parameters) -> DsnRequest:
    """Return what the parameters of RCPT ask for. Raises ProtocolError as ``read_mail`` does."""
    return DsnRequest(**_read(session, parameters, RCPT_PARAMETERS))


def _read(
    session: SmtpSession,
    parameters: Parameters,
    known: Mapping[str, tuple[Extension, ExtensionParameter]],
) -> dict[str, Any]:
    """Return the fields that parameters fill."""
    fields: dict[str, Any] = {}
    for name, value in parameters.items():
        parameter = _find(session, name, known)
        if parameter.field in fields:
            malformed(f"{name} and what comes before it exclude each other")
        fields[parameter.field] = parameter.read(session, value)
    return fields


def _find(
    session: SmtpSession, name: str, known: Mapping[str, tuple[Extension, ExtensionParameter]]
) -> ExtensionParameter:
    """Return the parameter of a name, if it is offered. Raises ProtocolError."""
    extension, parameter = known.get(name, (None, None))
    if extension is not None and parameter is not None:
        if extension.is_offered_to(session):
            return parameter
        if extension.refusal is not None:
            raise ProtocolError(extension.refusal(session))
    raise ProtocolError(Outcome(555, "5.5.4", f"Unsupported parameter: {name}"))

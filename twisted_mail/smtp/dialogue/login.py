"""Logging in at a smarthost: AUTH with PLAIN (RFC 4616) or LOGIN (RFC 4954)."""

import re
from collections.abc import Collection
from dataclasses import replace

from twisted_mail.interfaces import HostWire
from twisted_mail.mail import base64
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.smtp.dialogue import endings
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.replies import Reply
from twisted_mail.smtp.dialogue.settings import ClientSettings

LOGGED_IN, GO_ON = 235, 334

# What an answer to AUTH looks like in base64: no word of people's is so long, and ends so.
_REVEALING = re.compile(rb"[A-Za-z0-9+/]{16,}|[A-Za-z0-9+/]{4,}=")
_UNSHOWN = "(its words are not shown: they may repeat the password)"

_IN_CLEAR = "A password is needed here, and is not sent in clear"
_UNPROVEN = "A password is needed here, and the host has not proven its name"
_NO_MECHANISM = "The host offers no way to log in that is known here"


async def log_in(
    channel: CommandChannel, wire: HostWire, settings: ClientSettings, offered: Collection[str]
) -> None:
    """Log in. Raises DialogueEnded, before a password crosses a connection that is not fit for it."""
    assert settings.login is not None
    if wire.tls_info is None:
        raise _failed(_IN_CLEAR)
    if not (wire.is_proven or settings.trusts_unproven):
        raise _failed(_UNPROVEN)
    if "PLAIN" in offered:
        log_in_so, shown = _plain, "AUTH PLAIN"
    elif "LOGIN" in offered:
        log_in_so, shown = _login, "AUTH LOGIN"
    else:
        raise _failed(_NO_MECHANISM)
    password = settings.login.password
    try:
        reply = await log_in_so(channel, settings.login, settings.limits.auth)
    except DialogueEnded as end:  # words of the host may be in it
        if _is_revealing(end.outcome.text.encode(), password):
            end.outcome = replace(end.outcome, text=_UNSHOWN)
        raise
    if reply.code != LOGGED_IN:
        silent = _silent(reply, password)
        raise endings.refused(silent, shown, ReplyClass.CONFIGURATION)
    channel.is_secret = False


def _silent(reply: Reply, password: str) -> Reply:
    """Return a reply without its text if it might repeat what was sent: texts come into the log.

    Hosts that quote the command that they refuse are known; words as people write them stay.
    """
    if any(_is_revealing(line, password) for line in reply.lines):
        return Reply(reply.code, [_UNSHOWN.encode()])
    return reply


def _is_revealing(line: bytes, password: str) -> bool:
    secrets = password.encode(), _encoded(password).encode()
    return bool(_REVEALING.search(line)) or any(one and one in line for one in secrets)


async def _plain(channel: CommandChannel, login: Credentials, seconds: float) -> Reply:
    """Send the password with the command, and again to a host that asks all the same."""
    secret = _encoded(f"{login.acting_as}\0{login.name}\0{login.password}")
    reply = await channel.ask(f"AUTH PLAIN {secret}", seconds, "AUTH PLAIN")
    if reply.code == GO_ON:
        reply = await channel.ask(secret, seconds, "AUTH PLAIN")
    return reply


async def _login(channel: CommandChannel, login: Credentials, seconds: float) -> Reply:
    """Answer two questions, whose texts nobody agrees on: the name, the password."""
    reply = await channel.ask("AUTH LOGIN", seconds)
    for answer in (login.name, login.password):
        if reply.code != GO_ON:
            return reply
        reply = await channel.ask(_encoded(answer), seconds, "AUTH LOGIN")
    return reply


def _encoded(text: str) -> str:
    return base64.encode(text.encode()).decode("ascii")


def _failed(text: str) -> DialogueEnded:
    outcome = Outcome(454, "4.7.0", text)
    return DialogueEnded(outcome, "AUTH", ReplyClass.CONFIGURATION, is_orderly=True)

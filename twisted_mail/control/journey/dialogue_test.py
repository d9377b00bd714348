"""A kept dialogue as a file of ``tests/dialogues/``: see the README there."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from twisted_mail.control.journey.kept_host import HIDDEN
from twisted_mail.control.journey.kept_message import HELLO, commands, kept_message
from twisted_mail.mail import base64
from twisted_mail.mail.journey.dialogue import THEY, WE, Dialogue, SpokenLine
from twisted_mail.mail.queued.attempt import Attempt

OURS = "mail.example.org"  # our name there
_SECRETS = ("\0alice\0secret", "alice", "secret")  # for PLAIN; and for LOGIN, one after the other
_SIZE = re.compile(r"( SIZE=)[0-9]+")
_SECONDS = re.compile(r"\(.*within ([0-9]+) seconds.*\)")


def as_test(
    dialogue: Dialogue, hostname: str, play: Callable[..., Any], settings_for: Callable[..., Any]
) -> str:
    """Return the file. Its message is that of the tests, and what comes of it is found by playing it."""
    lines = [_as_there(one, hostname) for one in dialogue.lines]
    message = kept_message(lines, HELLO)
    played = play(lines, settings_for(lines, OURS), message)
    recipients = {one.number: one.address.text for one in message.recipients}
    results = [
        f"result: {recipients[number]} {_words(one)}" for number, one in played.attempts.items()
    ]
    ends = [f"ends: {_words(played.end)}"] if played.end is not None else []
    head = [
        f"# What {dialogue.host} said",
        "# RFC 5321 §3.3",
        "service: client",
        *_settings(lines),
        *_send(lines),
        "play: memory",
        *results,
        *ends,
    ]
    return "\n".join([*head, "", *_conversation(lines), ""])


def _as_there(line: SpokenLine, hostname: str) -> SpokenLine:
    """Return a line with our name, and the size of the message, as they are in the tests."""
    if line.side == THEY:
        return line
    text = line.text
    verb, _, name = text.partition(" ")
    if verb in ("EHLO", "HELO", "LHLO") and name == hostname:
        text = f"{verb} {OURS}"
    if text.startswith("MAIL FROM:"):
        text = _SIZE.sub(rf"\g<1>{len(HELLO)}", text).replace(" BODY=8BITMIME", "")
    return SpokenLine(line.at, line.side, text)


def _words(attempt: Attempt) -> str:
    outcome = attempt.outcome
    words = " ".join(filter(None, (str(outcome.code), outcome.enhanced, outcome.text)))
    return f"{words} | {attempt.command}".rstrip()


def _settings(lines: list[SpokenLine]) -> Iterator[str]:
    said = [one.text for one in lines if one.side == WE]
    if any(one.startswith("AUTH ") or one.endswith(HIDDEN) for one in said):
        yield 'setting: login = "alice secret"'
        yield "setting: trusts_unproven = true"
    if any(one.startswith("LHLO ") for one in said):
        yield "setting: is_lmtp = true"


def _send(lines: list[SpokenLine]) -> Iterator[str]:
    for sender, asked in commands(lines, "MAIL FROM")[-1:]:
        named = commands(lines, "RCPT TO")
        to = ", ".join(address for address, _ in named)
        wishes = named[0][1] if named else {}
        notify = wishes.get("NOTIFY", "").replace(",", " ")
        pairs = [
            *((f'notify = "{notify}"',) if notify else ()),
            *((f'orcpt = "{wishes["ORCPT"]}"',) if "ORCPT" in wishes else ()),
            *((f'ret = "{asked["RET"]}"',) if "RET" in asked else ()),
            *((f'envid = "{asked["ENVID"]}"',) if "ENVID" in asked else ()),
            *(("utf8 = true",) if "SMTPUTF8" in asked else ()),
        ]
        options = f" {{{', '.join(pairs)}}}" if pairs else ""
        yield f"send: {sender or '<>'} -> {to or 'nobody@example.invalid'} hello.eml{options}"


def _conversation(lines: list[SpokenLine]) -> Iterator[str]:
    """Yield what both sides say, with the content that the tests send."""
    secrets = [one for one in lines if one.text.endswith(HIDDEN)]
    plain = any(one.text == f"AUTH PLAIN{HIDDEN}" for one in lines)
    hidden = iter(_SECRETS[:1] * len(secrets) if plain else _SECRETS[1:])
    for one in lines:
        if one.text.endswith(" octets of content)"):
            yield from (f"C: {line}" for line in HELLO.decode().split("\r\n")[:-1])
            yield "C: ."
        elif one.text == "(a lone dot)":
            yield "C: ."
        elif one.text.endswith(HIDDEN):
            secret = base64.encode(next(hidden, "").encode()).decode("ascii")
            verb = one.text.removesuffix(HIDDEN)
            yield f"C: {verb} {secret}" if verb == "AUTH PLAIN" else f"C: {secret}"
        elif one.side == THEY and one.text.startswith("("):
            seconds = _SECONDS.fullmatch(one.text)
            yield f"({seconds[1]} seconds pass)" if seconds else "S: (closes)"
        else:
            yield f"{one.side}: {one.text}"
    yield from _end(lines)


def _end(lines: list[SpokenLine]) -> Iterator[str]:
    last = lines[-1] if lines else SpokenLine(0.0, THEY, "")
    if last.text.startswith("("):
        return
    if not last.text.startswith("421"):
        yield "C: QUIT"
        yield "S: 221 Bye"
    yield "C: (closes)"

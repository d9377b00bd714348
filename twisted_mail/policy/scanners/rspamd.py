"""Rspamd over HTTP: the whole message is sent, and an action comes back."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from twisted_mail.interfaces import Blocking, HttpClient, SmtpContext
from twisted_mail.mail.mime.edited_message import Revision
from twisted_mail.mail.mime.safe_fields import phrase
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict, refuse
from twisted_mail.policy.checks.check import Action, verdict
from twisted_mail.policy.message_pieces import pieces
from twisted_mail.policy.scanners.rspamd_result import RspamdResult, parse_rspamd_result

MAX_ANSWER = 1024 * 1024  # octets
MAX_RECIPIENTS = 500  # that are sent along

_URL = re.compile(r"[!-~]+")
_SPAM = Outcome(554, "5.7.1", "The message looks like spam")
_LATER = Outcome(451, "4.7.1", "Not now; try again later")
_FAILED = Outcome(451, "4.3.0", "The message cannot be judged now; try again later")


@dataclass(frozen=True, slots=True)
class RspamdSettings:
    """Options of the kind ``rspamd``: what is done for each action that Rspamd may return."""

    url: str = "http://127.0.0.1:11333"
    reject: Action = "refuse"
    soft_reject: Action = "defer"
    add_header: Action = "quarantine"
    rewrite_subject: Action = "quarantine"
    greylist: Action = "accept"
    edits: bool = True  # fields that Rspamd adds, changes and signs with
    skips_submitted: bool = False  # mail of clients that are logged in is not sent there
    max_size: int = 20_000_000  # octets; larger mail is accepted without asking

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")) or not _names_a_host(self.url):
            raise ValueError("url must begin with http:// or https:// and a host")


def _names_a_host(url: str) -> bool:
    """Return whether a URL, which has ASCII alone, has a host and at most one possible port."""
    try:
        parts = urlsplit(url)
        is_port = parts.port is None or parts.port > 0
    except ValueError:  # of brackets, or of a port
        return False
    return bool(parts.hostname) and is_port and _URL.fullmatch(url) is not None


class RspamdFilter:
    """Fulfils ``interfaces.Filter``."""

    stages: Collection[FilterStage] = (FilterStage.MESSAGE,)

    def __init__(
        self, settings: RspamdSettings, hostname: str, http_client: HttpClient, blocking: Blocking
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._posting = http_client
        self._blocking = blocking
        self._url = settings.url.rstrip("/") + "/checkv2"

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Send the message, with the edits of earlier filters, and return the answer as a verdict."""
        settings, message = self._settings, context.message
        if message is None or message.size > settings.max_size:
            return ACCEPT
        if settings.skips_submitted and context.submitter:
            return ACCEPT
        revision = Revision(message, context.header)
        try:
            revision.edit(context.edits)
        except Refused as error:
            return refuse(error.outcome.text, error.outcome)
        message = revision.message()
        answer = await self._posting.post(
            self._url,
            [(name, _harmless(value)) for name, value in self._request_fields(context)],
            message.size,
            pieces(self._blocking, message),
            MAX_ANSWER,
        )
        if answer.status != 200:
            raise Unavailable(_FAILED)
        return self._verdict(_parse_result(answer.body, revision.names))

    def _request_fields(self, context: SmtpContext) -> Iterator[tuple[str, str]]:
        """Yield the header fields of the request: what is known besides the message."""
        yield "Queue-Id", context.id
        yield "MTA-Name", self._hostname
        yield "From", "" if context.sender.is_null else str(context.sender)
        yield from (("Rcpt", str(one)) for one in list(context.recipients)[:MAX_RECIPIENTS])
        yield "Helo", context.hello
        if context.peer.host:
            yield "IP", context.peer.host
        if context.reverse_name:
            yield "Hostname", context.reverse_name
        if context.submitter:
            yield "User", context.submitter
        if context.tls_info is not None:
            yield "TLS-Version", context.tls_info.version
            yield "TLS-Cipher", context.tls_info.cipher

    def _verdict(self, result: RspamdResult) -> Verdict:
        edits = result.edits if self._settings.edits else ()
        action = self._action(result.action)
        if action is None:
            return Verdict(_OTHERS.get(result.action, Decision.ACCEPT), result.reason, edits=edits)
        answer = _LATER if action == "defer" else _SPAM
        if result.smtp_message:
            answer = Outcome(answer.code, answer.enhanced, phrase(result.smtp_message, 200))
        found = verdict(action, result.reason, answer)
        return found if found.is_refusal else Verdict(found.decision, found.reason, edits=edits)

    def _action(self, name: str) -> Action | None:
        settings = self._settings
        actions: dict[str, Action] = {
            "reject": settings.reject,
            "soft reject": settings.soft_reject,
            "add header": settings.add_header,
            "rewrite subject": settings.rewrite_subject,
            "greylist": settings.greylist,
        }
        return actions.get(name)


_OTHERS = {"discard": Decision.DISCARD, "quarantine": Decision.QUARANTINE}


def _parse_result(body: bytes, names: Collection[bytes]) -> RspamdResult:
    try:
        return parse_rspamd_result(json.loads(body), names)
    except (ValueError, RecursionError) as error:
        raise Unavailable(_FAILED) from error


def _harmless(value: str) -> str:
    """Return a value as one line of HTTP, whatever the client sent."""
    return "".join(one if one.isprintable() else "_" for one in value[:1000])

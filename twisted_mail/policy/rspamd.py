"""Rspamd, asked over HTTP: the message goes there whole, and an action comes back."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, Posting, Visit
from twisted_mail.mail.mime.revision import Revision
from twisted_mail.mail.mime.safe_fields import phrase
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, Stage, Verdict, refuse
from twisted_mail.policy.check import Action, verdict
from twisted_mail.policy.message_pieces import pieces
from twisted_mail.policy.rspamd_result import Opinion, parse_opinion

MAX_ANSWER = 1024 * 1024  # octets
MAX_RECIPIENTS = 500  # that are told

_SPAM = Outcome(554, "5.7.1", "The message looks like spam")
_LATER = Outcome(451, "4.7.1", "Not now; try again later")
_FAILED = Outcome(451, "4.3.0", "The message cannot be judged now; try again later")


@dataclass(frozen=True, slots=True)
class RspamdSettings:
    """Options of the kind ``rspamd``: what is done at each action that Rspamd may answer."""

    url: str = "http://127.0.0.1:11333"
    reject: Action = "refuse"
    soft_reject: Action = "defer"
    add_header: Action = "quarantine"
    rewrite_subject: Action = "quarantine"
    greylist: Action = "accept"
    edits: bool = True  # fields that Rspamd adds, changes and signs with
    skips_submitted: bool = False  # it is not asked about mail of people who have logged in
    max_size: int = 20_000_000  # octets; what is larger is accepted unasked

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")) or not self.url.isascii():
            raise ValueError("url must begin with http:// or https://")


class RspamdFilter:
    """Fulfils ``interfaces.Filter``."""

    stages: Collection[Stage] = (Stage.MESSAGE,)

    def __init__(
        self, settings: RspamdSettings, hostname: str, posting: Posting, blocking: Blocking
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._posting = posting
        self._blocking = blocking
        self._url = settings.url.rstrip("/") + "/checkv2"

    async def judge(self, stage: Stage, visit: Visit) -> Verdict:
        """Send the message, as the filters before have edited it, and do what is answered."""
        settings, message = self._settings, visit.message
        if message is None or message.size > settings.max_size:
            return ACCEPT
        if settings.skips_submitted and visit.submitter:
            return ACCEPT
        revision = Revision(message, visit.header)
        try:
            revision.edit(visit.edits)
        except Refused as error:
            return refuse(error.outcome.text, error.outcome)
        message = revision.message()
        answer = await self._posting.post(
            self._url,
            [(name, _harmless(value)) for name, value in self._told(visit)],
            message.size,
            pieces(self._blocking, message),
            MAX_ANSWER,
        )
        if answer.status != 200:
            raise Unavailable(_FAILED)
        return self._verdict(_opinion(answer.body, revision.names))

    def _told(self, visit: Visit) -> Iterator[tuple[str, str]]:
        """Yield what is told beside the message."""
        yield "Queue-Id", visit.id
        yield "MTA-Name", self._hostname
        yield "From", "" if visit.sender.is_null else str(visit.sender)
        yield from (("Rcpt", str(one)) for one in list(visit.recipients)[:MAX_RECIPIENTS])
        yield "Helo", visit.hello
        if visit.peer.host:
            yield "IP", visit.peer.host
        if visit.reverse_name:
            yield "Hostname", visit.reverse_name
        if visit.submitter:
            yield "User", visit.submitter
        if visit.privacy is not None:
            yield "TLS-Version", visit.privacy.version
            yield "TLS-Cipher", visit.privacy.cipher

    def _verdict(self, opinion: Opinion) -> Verdict:
        edits = opinion.edits if self._settings.edits else ()
        action = self._action(opinion.action)
        if action is None:
            return Verdict(
                _OTHERS.get(opinion.action, Decision.ACCEPT), opinion.reason, edits=edits
            )
        told = _LATER if action == "defer" else _SPAM
        if opinion.said:
            told = Outcome(told.code, told.enhanced, phrase(opinion.said, 200))
        found = verdict(action, opinion.reason, told)
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


def _opinion(body: bytes, names: Collection[bytes]) -> Opinion:
    try:
        return parse_opinion(json.loads(body), names)
    except (ValueError, RecursionError) as error:
        raise Unavailable(_FAILED) from error


def _harmless(value: str) -> str:
    """Return a value that is one line of HTTP, whatever a visitor said."""
    return "".join(one if one.isprintable() else "_" for one in value[:1000])

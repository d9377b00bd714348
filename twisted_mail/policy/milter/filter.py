"""Mail filters of other programs as filters of ours.

A filter's connection is kept for all of an SMTP conversation. Its messages follow each other on it, as
they do in the conversation.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, Dialing, Privacy, Visit
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime.revision import Revision
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, Edit, Stage, Verdict, refuse
from twisted_mail.policy.message_pieces import pieces
from twisted_mail.policy.milter import commands
from twisted_mail.policy.milter.connection import Final, Talk
from twisted_mail.policy.milter.packets import texts
from twisted_mail.policy.milter.replies import Quarantine, Reply, Step
from twisted_mail.policy.milter.settings import MilterSettings

_ORDER = tuple(Stage)
_FAILED = Outcome(451, "4.7.1", "The mail filter failed a moment ago")


@dataclass(slots=True)
class _Course:
    """How far a conversation is with the filter.

    ``of_client`` holds for the whole conversation and ``of_hello`` for the name, once the filter has
    decided; ``of_message`` for the message. ``said`` is what was told of the name.
    """

    talk: Talk | None = None
    of_client: Verdict | None = None
    of_hello: Verdict | None = None
    of_message: Verdict | None = None
    said: tuple[str, Privacy | None] | None = None
    is_in_message: bool = False
    has_failed: bool = False  # in this message; the next begins anew

    def drop(self) -> None:
        """Give up the connection."""
        talk, self.talk = self.talk, None
        self.said, self.is_in_message, self.has_failed = None, False, True
        if talk is not None:
            talk.close()


class MilterFilter:
    """Fulfils ``interfaces.Filter``."""

    def __init__(
        self, settings: MilterSettings, hostname: str, dialing: Dialing, blocking: Blocking
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._dialing = dialing
        self._blocking = blocking
        self._note = f"milter {id(self)}"
        self.stages: Collection[Stage] = _ORDER[_ORDER.index(Stage(settings.begins)) :]

    async def judge(self, stage: Stage, visit: Visit) -> Verdict:
        """Tell the filter how far it has come, and return what it decides."""
        if self._settings.skips_submitted and visit.submitter:
            return ACCEPT
        course: _Course = visit.notes.setdefault(self._note, _Course())
        if stage is Stage.HELLO and (course.is_in_message or course.of_message is not None):
            return ACCEPT  # told before the next message: another filter may refuse it, and this goes on
        if stage in (Stage.CONNECT, Stage.HELLO, Stage.SENDER):
            course.of_message, course.has_failed = None, False
        if course.has_failed:
            raise Unavailable(_FAILED)
        try:
            return await self._judge(course, stage, visit)
        except BaseException:  # nobody knows how far the filter is
            course.drop()
            raise

    async def _judge(self, course: _Course, stage: Stage, visit: Visit) -> Verdict:
        if course.of_message is not None:
            return ACCEPT  # it was said, and holds
        if stage is Stage.RECIPIENT:
            return await self._judge_recipient(course, visit)
        if stage is Stage.MESSAGE:
            return await self._judge_message(course, visit)
        talk = await self._open(course, visit)
        if stage is not Stage.CONNECT:
            await self._greet(course, talk, visit)
        verdict = course.of_client or course.of_hello
        if stage is not Stage.SENDER:
            return verdict or ACCEPT
        if verdict is not None:
            course.of_message = verdict
            return verdict
        course.is_in_message = True
        return self._settle(course, await talk.ask(commands.MAIL, visit, texts(_sender(visit))))

    # ------------------------------------------------------------ the client

    async def _open(self, course: _Course, visit: Visit) -> Talk:
        """Return the connection to the filter; a new one is told of the client first."""
        if course.talk is not None and course.talk.is_open:
            return course.talk
        course.drop()
        course.has_failed = False
        talk = course.talk = await Talk.begin(self._dialing, self._settings, self._hostname)
        answer = await talk.ask(commands.CONNECT, visit, commands.connected(visit))
        course.of_client = _standing(answer)
        return talk

    async def _greet(self, course: _Course, talk: Talk, visit: Visit) -> None:
        """Tell what the client calls itself, if that was not told yet."""
        said = visit.hello, visit.privacy
        if course.of_client is None and course.said != said:
            course.said = said
            hello = texts(visit.hello.encode("utf-8", "replace"))
            course.of_hello = _standing(await talk.ask(commands.HELO, visit, hello))

    # ------------------------------------------------------------ the message

    def _settle(self, course: _Course, answer: Final) -> Verdict:
        """Return the verdict of an answer, and keep one that ends the message for the filter."""
        verdict = _standing(answer)
        if verdict is not None:
            course.of_message = verdict
        return verdict or ACCEPT

    async def _judge_recipient(self, course: _Course, visit: Visit) -> Verdict:
        talk, recipient = _talk(course), visit.recipient
        if recipient is None:
            return ACCEPT
        data = texts(commands.bracketed(recipient))
        answer = await talk.ask(commands.RCPT, visit, data)
        if answer in (Step.REJECT, Step.TEMPFAIL) or isinstance(answer, Reply):
            return _standing(answer) or ACCEPT  # of this recipient alone
        return self._settle(course, answer)

    async def _judge_message(self, course: _Course, visit: Visit) -> Verdict:
        if visit.message is None:
            return ACCEPT
        talk = _talk(course)
        revision = Revision(visit.message, visit.header)
        try:
            revision.edit(visit.edits)
            body = revision.body
        except Refused as error:  # a header without end would hide the body from the filter
            return refuse(error.outcome.text, error.outcome)
        decided = await self._tell_message(talk, revision.fields, body, visit)
        if decided is not None:
            return self._settle(course, decided)
        answer, quarantine, edits = await talk.ask_end(visit)
        course.is_in_message = False
        course.of_message = _final(answer, quarantine, edits)
        return course.of_message

    async def _tell_message(
        self, talk: Talk, fields: Sequence[bytes], body: Blob, visit: Visit
    ) -> Final | None:
        """Tell of header and body; return what the filter decides before the end, or None."""
        answer = await talk.ask(commands.DATA, visit)
        if answer is Step.CONTINUE:
            answer = await talk.ask_fields(fields)
        if answer is Step.CONTINUE:
            answer = await talk.ask(commands.END_OF_HEADER, visit)
        if answer is Step.CONTINUE and talk.wants(commands.BODY):
            answer = await talk.ask_body(pieces(self._blocking, body))
        return None if answer is Step.CONTINUE else answer

    # ------------------------------------------------------------ the end

    def ended(self, visit: Visit, is_over: bool) -> None:
        """Tell the filter that a message came to no end, or that all is over."""
        course: _Course | None = visit.notes.get(self._note)
        if course is None:
            return
        if course.talk is not None and is_over:
            course.talk.quit()
        elif course.talk is not None and course.is_in_message:
            course.talk.abort()
        course.is_in_message, course.of_message = False, None
        if is_over:
            del visit.notes[self._note]


def _sender(visit: Visit) -> bytes:
    return commands.bracketed(visit.sender)


def _talk(course: _Course) -> Talk:
    if course.talk is None:
        raise Unavailable(_FAILED)
    return course.talk


# ---------------------------------------------------------------- verdicts


def _standing(answer: Final) -> Verdict | None:
    """Return the verdict by which the filter is done, or None: it wants to know more."""
    if answer in (Step.CONTINUE, Step.SKIP):
        return None
    return _final(answer, None, ())


def _final(answer: Final, quarantine: Quarantine | None, edits: tuple[Edit, ...]) -> Verdict:
    """Return what is to become of a message."""
    if isinstance(answer, Reply):
        decision = Decision.DEFER if answer.outcome.is_temporary else Decision.REFUSE
        return Verdict(decision, answer.outcome.text, answer.outcome)
    if answer is Step.REJECT:
        return Verdict(Decision.REFUSE, "rejected")
    if answer is Step.TEMPFAIL:
        return Verdict(Decision.DEFER, "not now")
    if answer is Step.DISCARD:
        return Verdict(Decision.DISCARD, "discarded")
    if quarantine is not None:
        return Verdict(Decision.QUARANTINE, quarantine.reason or "quarantined", edits=edits)
    return Verdict(edits=edits)

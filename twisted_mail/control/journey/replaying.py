"""``queue replay``: plays a kept dialogue against the present client, or prints it as a test."""

import argparse
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.journey.dialogue_test import as_test
from twisted_mail.control.journey.kept_host import HIDDEN, Difference, Differs, KeptHost
from twisted_mail.control.journey.kept_message import MemoryWriter, Unplayable, kept_message
from twisted_mail.control.output import FAILED, CommandError, CommandResult
from twisted_mail.control.synchronous import SynchronousBlocking, run_synchronously
from twisted_mail.interfaces import unreported
from twisted_mail.journey.dialogues import find_dialogues
from twisted_mail.journey.search import EVENT_KIND, events_in, lines_of
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.ids import moment_of
from twisted_mail.mail.journey.dialogue import WE, Dialogue, SpokenLine
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.smtp.dialogue.attempts import AttemptRecorder
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.fitting import MessageFitter
from twisted_mail.smtp.dialogue.mail_dialogue import MailDialogue
from twisted_mail.smtp.dialogue.opening import Opening
from twisted_mail.smtp.dialogue.round_source import DialogueDoors
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop

T = TypeVar("T")

USER = Credentials("alice", "secret")  # in the place of who logged in


@dataclass(slots=True)
class Played:
    """What came of a replay: how each recipient's attempt ended, and where it differed, if it did."""

    attempts: dict[int, Attempt]
    difference: Difference | None = None
    end: Attempt | None = None


class StillTime:
    """Fulfils ``interfaces.Clock`` without time: a dialogue is played as fast as it can be."""

    def now(self) -> float:
        """Return no time."""
        return 0.0

    def monotonic(self) -> float:
        """Return no time."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Do not wait."""

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work does."""
        return await work


class OneMessage:
    """Fulfils ``MessageSupply`` with one message; ``attempts`` has how it ended."""

    def __init__(self, transaction: Transaction) -> None:
        self._waiting = [transaction]
        self.attempts: dict[int, Attempt] = {}

    def next(self) -> Transaction | None:
        """Take the message, once."""
        return self._waiting.pop() if self._waiting else None

    async def wait(self, seconds: float) -> Transaction | None:
        """Take it, or nothing."""
        return self.next()

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how it ended."""
        self.attempts |= attempts


def play(lines: Sequence[SpokenLine], settings: ClientSettings, message: Transaction) -> Played:
    """Have the present client hand a message on to the host of a dialogue."""
    host, supply = KeptHost(lines), OneMessage(message)
    recorder = AttemptRecorder(StillTime(), NextHop("kept", "192.0.2.1"))
    end: Attempt | None = None
    try:
        try:
            run_synchronously(_converse(host, settings, supply, recorder))
        except DialogueEnded as ended:
            end = recorder.ended(ended, 0, {})
        host.check_end()
    except Differs as differs:
        return Played(supply.attempts, differs.difference)
    return Played(supply.attempts, None, end)


async def _converse(
    host: KeptHost, settings: ClientSettings, supply: OneMessage, recorder: AttemptRecorder
) -> None:
    blocking = SynchronousBlocking()
    doors = DialogueDoors(StillTime(), blocking, unreported)
    channel = CommandChannel(host, doors.clock, settings.limits.message)
    says_helo = not any(one.text.startswith(("EHLO ", "LHLO ")) for one in host.lines)
    offered = await Opening(host, channel, settings, recorder.phases, says_helo).run()
    fitter = MessageFitter(offered, settings.sends_signed_8bit, blocking, blocking, MemoryWriter)
    await MailDialogue(channel, offered, settings, recorder, fitter, doors).hand_on(supply)


def settings_for(lines: Sequence[SpokenLine], hostname: str) -> ClientSettings:
    """Return how the client was to speak, as far as that is seen in what it said."""
    texts = [one.text for one in lines if one.side == WE]
    has_login = any(text.startswith("AUTH ") or text.endswith(HIDDEN) for text in texts)
    return ClientSettings(
        hostname,
        is_lmtp=any(text.startswith("LHLO ") for text in texts),
        login=USER if has_login else None,
        trusts_unproven=True,
    )


def without_reset(lines: Sequence[SpokenLine]) -> list[SpokenLine]:
    """Return a dialogue without the RSET that belonged to the message before, and its answer."""
    texts = [(one.side, one.text) for one in lines]
    if (WE, "RSET") not in texts:
        return list(lines)
    at = texts.index((WE, "RSET"))
    answer = next((n for n in range(at + 1, len(lines)) if lines[n].side != WE), None)
    return [one for n, one in enumerate(lines) if n not in (at, answer)]


# ---------------------------------------------------------------- the command


def queue_replay(options: argparse.Namespace, config: Config) -> CommandResult:
    """Play the last kept dialogue of a message, or the one of an id."""
    with server_user_of(config.state).acting():
        dialogue = _found(str(config.journey_folder), options.id)
    lines = without_reset(dialogue.lines)
    try:
        if options.as_test:
            text = as_test(
                replace(dialogue, lines=tuple(lines)), config.hostname, play, settings_for
            )
            return CommandResult({"test": text}, text.splitlines())
        played = play(lines, settings_for(lines, config.hostname), kept_message(lines))
    except Unplayable as error:
        raise CommandError(f"the dialogue cannot be played: {error}") from None
    return _answer(dialogue, lines, played)


def _found(folder: str, id: str) -> Dialogue:
    found = find_dialogues(folder, [id])
    if not found:
        events = events_in(lines_of(folder, EVENT_KIND, [id], moment_of(id)))
        said = [str(one["dialogue"]) for one in events if one.get("dialogue")]
        found = find_dialogues(folder, said[-1:])
    if not found:
        raise CommandError(f"no dialogue of {id} is kept")
    return next(iter(found.values()))


def _answer(dialogue: Dialogue, lines: Sequence[SpokenLine], played: Played) -> CommandResult:
    about = f"the dialogue {dialogue.id} with {dialogue.host}"
    difference = played.difference
    if difference is None:
        text = f"{about}: the present client says the same, {len(lines)} lines"
        return CommandResult({"dialogue": dialogue.id, "difference": None}, [text])
    data = {"line": difference.number, "kept": difference.kept, "now": difference.now}
    shown = [
        f"{about} differs at line {difference.number}:",
        f"  kept: {difference.kept or 'nothing'}",
        f"  now:  {difference.now or 'nothing'}",
    ]
    return CommandResult({"dialogue": dialogue.id, "difference": data}, shown, FAILED)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``replay``."""
    text = "play a kept dialogue against the present client, and show where it differs first"
    parser = command("replay", queue_replay, text, "id")
    about = "print it as a file for tests/dialogues/ instead"
    parser.add_argument("--as-test", action="store_true", help=about)

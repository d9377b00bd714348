"""The journal of one process: the log, the file it may be written to, and the journey of messages."""

from typing import Any

from twisted.logger import Logger

from twisted_mail.config import Config
from twisted_mail.interfaces import Blocking, DialogueJournal
from twisted_mail.journey.day_files import DayFiles
from twisted_mail.journey.dialogues import JourneyDialogues, dialogue_lines
from twisted_mail.journey.event_lines import Event, event_lines
from twisted_mail.journey.recorder import (
    MAX_DIALOGUES,
    MOMENT_SECONDS,
    JourneyRecorder,
)
from twisted_mail.journey.search import DIALOGUE_KIND, EVENT_KIND
from twisted_mail.log import LogJournal
from twisted_mail.mail.journey.dialogue import Dialogue
from twisted_mail.net.process.maillog import MailLog
from twisted_mail.net.process.periodic import PeriodicTask
from twisted_mail.queue.events import QueueEvents

log = Logger(namespace="twisted_mail")


class JournalAssembly:
    """``journal`` notes the events, ``queue_journal`` those of the queue in the same log.

    ``dialogues`` keeps what was said to other hosts; None where nothing of it is kept. The journey
    is written in ``files``; ``close`` writes out what is left.
    """

    def __init__(self, reactor: Any, config: Config, files: Blocking) -> None:
        self._mail_log = _make_mail_log(reactor, config)
        self._config = config
        self._recorders: list[JourneyRecorder[Any]] = []
        write = None if self._mail_log is None else self._mail_log.write
        record = self._make_events(files) if config.journey.days else None
        self.journal = LogJournal(config.log.connections, write, record)
        self.queue_journal = QueueEvents(self.journal)
        self.dialogues = self._make_dialogues(files) if config.journey.keeps_dialogues else None

    def _make_events(self, files: Blocking) -> Any:
        days = self._day_files(EVENT_KIND, self._config.journey.event_octets)
        recorder: JourneyRecorder[Event] = JourneyRecorder(
            days, event_lines, files.lane(), self._warn
        )
        self._recorders.append(recorder)
        return recorder.record

    def _make_dialogues(self, files: Blocking) -> DialogueJournal:
        settings = self._config.journey
        days = self._day_files(DIALOGUE_KIND, settings.dialogue_octets)
        recorder: JourneyRecorder[Dialogue] = JourneyRecorder(
            days, dialogue_lines, files.lane(), self._warn, most=MAX_DIALOGUES
        )
        self._recorders.append(recorder)
        return JourneyDialogues(recorder.record, settings.dialogues == "all")

    def _day_files(self, kind: str, octets: int) -> DayFiles:
        config = self._config
        folder = str(config.journey_folder)
        return DayFiles(folder, kind, config.journey.days, octets, config.queue.min_free)

    def _warn(self, text: str) -> None:
        self.journal.warned("journey:", text)

    def periodic_tasks(self) -> list[PeriodicTask]:
        """Return the work that writes what has gathered."""
        return [PeriodicTask("journey", MOMENT_SECONDS, one.work) for one in self._recorders]

    def close(self) -> None:
        """Write out and close the files, if there are any."""
        for one in self._recorders:
            one.close()
        if self._mail_log is not None:
            self._mail_log.flush()
            self._mail_log.close()


def _make_mail_log(reactor: Any, config: Config) -> MailLog | None:
    if not config.log.file:
        return None
    path = config.state / config.log.file
    return MailLog(reactor, path, lambda text: log.warn("{text}", text=text))

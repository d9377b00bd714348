"""The journal of one process: the log, the file it may be written to, and the journey of messages."""

from typing import Any

from twisted.logger import Logger

from twisted_mail.config import Config
from twisted_mail.interfaces import Blocking
from twisted_mail.journey.day_files import DayFiles
from twisted_mail.journey.recorder import MOMENT_SECONDS, JourneyRecorder
from twisted_mail.journey.search import EVENT_KIND
from twisted_mail.log import LogJournal
from twisted_mail.net.process.maillog import MailLog
from twisted_mail.net.process.periodic import PeriodicTask
from twisted_mail.queue.events import QueueEvents

log = Logger(namespace="twisted_mail")


class JournalAssembly:
    """``journal`` notes the events, ``queue_journal`` those of the queue in the same log.

    ``files`` is where the journey is written; ``close`` writes out what is left.
    """

    def __init__(self, reactor: Any, config: Config, files: Blocking) -> None:
        self._mail_log = _make_mail_log(reactor, config)
        write = None if self._mail_log is None else self._mail_log.write
        self._recorder = self._make_recorder(config, files)
        record = None if self._recorder is None else self._recorder.record
        self.journal = LogJournal(config.log.connections, write, record)
        self.queue_journal = QueueEvents(self.journal)

    def _make_recorder(self, config: Config, files: Blocking) -> JourneyRecorder | None:
        if not config.journey.days:
            return None
        days = DayFiles(
            str(config.journey_folder),
            EVENT_KIND,
            config.journey.days,
            config.journey.event_octets,
            config.queue.min_free,
        )
        return JourneyRecorder(days, files.lane(), self._warn)

    def _warn(self, text: str) -> None:
        self.journal.warned("journey:", text)

    def periodic_tasks(self) -> list[PeriodicTask]:
        """Return the work that writes what has gathered."""
        if self._recorder is None:
            return []
        return [PeriodicTask("journey", MOMENT_SECONDS, self._recorder.work)]

    def close(self) -> None:
        """Write out and close the files, if there are any."""
        if self._recorder is not None:
            self._recorder.close()
        if self._mail_log is not None:
            self._mail_log.flush()
            self._mail_log.close()


def _make_mail_log(reactor: Any, config: Config) -> MailLog | None:
    if not config.log.file:
        return None
    path = config.state / config.log.file
    return MailLog(reactor, path, lambda text: log.warn("{text}", text=text))

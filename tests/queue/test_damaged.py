"""The postmaster hears once of mail that is damaged."""

from pathlib import Path

from tests.contracts.spool import new_job, owed
from tests.queue.reports.reporting import HOST, TEXTS
from tests.queue.spool.spools import start_spool
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.queued.selection import SelectedState, Selection
from twisted_mail.queue.damaged import LOOK_SECONDS, DamagedMail
from twisted_mail.queue.reports.reports import QueueReports, ReportBackend
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.spool.database import open_database
from twisted_mail.queue.words.store import SpoolWords
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

POSTMASTER = "postmaster@example.org"


def test_one_notice_names_what_was_found_and_nothing_twice(tmp_path: Path) -> None:
    spool, clock, journal = start_spool(tmp_path, fresh=0), StillClock(), ListJournal()
    router = LocalRouter(FixedDirectory({POSTMASTER: ""}, {}, {}, {}))
    backend = ReportBackend(router, clock, InlineBlocking(), journal, HOST)
    reports = QueueReports(backend, ReportSettings(postmaster=POSTMASTER), TEXTS)
    find = SpoolWords(spool.query).damaged
    mail = DamagedMail(find, reports.tell_postmaster, spool, clock, journal)
    for id in ("a", "b"):
        finish(spool.accept(new_job(id, owed(1), owed(2, notices=1))))
    told: list[bytes] = []

    def look() -> None:
        before = spool.counts().jobs
        clock.seconds += LOOK_SECONDS
        finish(mail.work())
        if spool.counts().jobs > before:
            database = open_database(str(tmp_path))
            query = "SELECT body FROM bodies ORDER BY job DESC LIMIT 1"
            told.extend(row[0] for row in database.connection.execute(query))
            database.close()

    look()
    assert told == []
    for id in ("a", "b"):
        database = open_database(str(tmp_path))
        with database.transaction() as connection:
            connection.execute("UPDATE jobs SET envelope = x'00' WHERE id = ?", (id,))
        database.close()
        assert finish(spool.load(id, [1, 2])) is None
        look()
        look()
    assert [text.count(b"bob@example.net") for text in told] == [2, 2]
    assert b"b/2" in told[1]
    assert b"a/2" not in told[1]
    damaged = finish(find(Selection(state=SelectedState.DAMAGED), clock.now()))
    assert [one.is_reported for one in damaged] == [True] * 4
    finish(spool.close())

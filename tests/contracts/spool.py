"""What every spool of the queue does; a test class inherits it and has the fixture ``spool``."""

from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from twisted_mail.interfaces import (
    DueRecipient,
    JobSpool,
    LoadedJob,
    SiteRecord,
    SpoolChange,
    SpoolCounts,
)
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import (
    JobKind,
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
    undeliverable,
)
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.testing.doubles import finish

T = TypeVar("T")
SENDER = parse("alice@example.org")
BODY = b"Subject: x\r\n\r\nHello\r\n"
PREFIX = b"Received: here\r\n"
EXAMPLE = Destination("smtp", "example.net")
LATER = Attempt(Outcome(450, "4.2.0", "later"), 5.0, ReplyClass.GREYLIST, "mx.example.net")


def owed(number: int = 1, address: str = "bob@example.net", **given: Any) -> OwedRecipient:
    return OwedRecipient(number, RemoteTarget(parse(address)), **given)


def new_job(
    id: str = "job1", *recipients: OwedRecipient, body: bytes = BODY, **given: Any
) -> NewJob:
    given = {"arrived": 1.0, "sender": SENDER, "size": len(PREFIX) + len(body), **given}
    message = Message(MemoryBlob(body), PREFIX)
    return NewJob(QueuedJob(id, **given), recipients or (owed(),), message)


def due_of(new: NewJob, number: int = 1, due: float = 0.0) -> DueRecipient:
    return DueRecipient(new.job.id, number, due, new.job.arrived, new.job.sender.domain, 0)


def ids(found: Iterable[DueRecipient]) -> list[tuple[str, int]]:
    return [(one.job, one.number) for one in found]


class JobSpoolContract:
    """The tests. ``run`` runs a coroutine of the spool's."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return finish(coroutine)

    @pytest.fixture
    def spool(self) -> JobSpool:
        raise NotImplementedError

    @pytest.fixture
    def small_spool(self) -> JobSpool:
        """A spool for two jobs at most."""
        raise NotImplementedError

    def load(self, spool: JobSpool, id: str = "job1", *numbers: int) -> LoadedJob | None:
        return self.run(spool.load(id, numbers or (1,)))

    def due(self, spool: JobSpool, before: float = 10.0, limit: int = 1000) -> list[Any]:
        return ids(self.run(spool.due(EXAMPLE, before, limit)))

    # ------------------------------------------------------------ taking in

    def test_an_accepted_job_is_due_and_comes_back_whole(self, spool: JobSpool) -> None:
        new = new_job()
        self.run(spool.accept(new))
        assert self.run(spool.due(EXAMPLE, 10.0, 5)) == [due_of(new)]
        loaded = self.load(spool)
        assert loaded is not None
        assert (loaded.job, list(loaded.recipients)) == (new.job, list(new.recipients))
        assert (loaded.message.prefix, loaded.message.read()) == (PREFIX, PREFIX + BODY)
        assert spool.counts() == SpoolCounts(1, 1)

    def test_an_id_is_taken_once(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job()))
        with pytest.raises(Unavailable):
            self.run(spool.accept(new_job(body=b"another")))
        loaded = self.load(spool)
        assert loaded is not None
        assert loaded.message.read() == PREFIX + BODY

    def test_no_more_jobs_are_taken_than_allowed(self, small_spool: JobSpool) -> None:
        for id in ("a", "b"):
            self.run(small_spool.accept(new_job(id)))
        with pytest.raises(Unavailable) as caught:
            self.run(small_spool.accept(new_job("c")))
        assert (caught.value.outcome.code, caught.value.outcome.enhanced) == (452, "4.3.1")
        self.run(small_spool.apply(SpoolChange(new=[new_job("report", kind=JobKind.REPORT)])))
        assert small_spool.counts().jobs == 3

    def test_a_prepared_job_is_nobodys_until_it_is_kept(self, spool: JobSpool) -> None:
        held = owed(2, state=RecipientState.HELD)
        self.run(spool.prepare(new_job("job1", owed(), held)))
        assert (self.due(spool), self.load(spool)) == ([], None)
        assert self.run(spool.read("job1")) is None
        assert list(self.run(spool.held()).found) == list(self.run(spool.destinations())) == []
        assert spool.counts() == SpoolCounts()
        self.run(spool.keep("job1", [owed(3, "carol@example.net")]))
        assert self.due(spool) == [("job1", 1), ("job1", 3)]
        assert spool.counts() == SpoolCounts(1, 3)
        assert [one.recipient for one in self.run(spool.held()).found] == [held]

    def test_a_job_is_kept_with_reports_that_come_of_it(self, spool: JobSpool) -> None:
        self.run(spool.prepare(new_job()))
        self.run(spool.keep("job1", (), [new_job("report", kind=JobKind.REPORT, sender=NULL)]))
        assert spool.counts() == SpoolCounts(2, 2)

    def test_a_job_that_owes_nobody_when_it_is_kept_is_gone(self, spool: JobSpool) -> None:
        new = new_job()
        self.run(spool.prepare(replace(new, recipients=())))
        self.run(spool.keep("job1"))
        assert (spool.counts(), self.run(spool.read("job1"))) == (SpoolCounts(), None)

    def test_a_prepared_job_can_be_dropped_and_a_kept_one_cannot(self, spool: JobSpool) -> None:
        self.run(spool.prepare(new_job()))
        self.run(spool.drop("job1"))
        with pytest.raises(Unavailable):
            self.run(spool.keep("job1", (), [new_job("report", kind=JobKind.REPORT)]))
        self.run(spool.drop("nobody"))
        assert spool.counts() == SpoolCounts()
        self.run(spool.accept(new_job("job2")))
        self.run(spool.drop("job2"))
        assert spool.counts() == SpoolCounts(1, 1)

    # ------------------------------------------------------------ changes

    def test_who_is_served_is_gone_and_the_job_with_the_last(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job("job1", owed(1), owed(2))))
        self.run(spool.apply(SpoolChange(gone=[("job1", 1)])))
        assert (self.due(spool), spool.counts()) == ([("job1", 2)], SpoolCounts(1, 1))
        self.run(spool.apply(SpoolChange(gone=[("job1", 2)])))
        assert (self.due(spool), spool.counts()) == ([], SpoolCounts())
        assert self.run(spool.read("job1")) is None
        self.run(spool.accept(new_job()))

    def test_who_is_put_off_is_due_later_with_what_was_noted(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job()))
        altered = owed(due=100.0, tries=1, notices=1, last=LATER, progress=7, reason="why")
        self.run(spool.apply(SpoolChange(altered=[("job1", altered)])))
        assert self.due(spool) == []
        [found] = self.run(spool.due(EXAMPLE, 101.0, 5))
        assert (found.due, found.notices) == (100.0, 1)
        loaded = self.load(spool)
        assert loaded is not None
        assert list(loaded.recipients) == [altered]
        assert spool.counts() == SpoolCounts(1, 1)

    def test_new_recipients_join_and_served_ones_do_not_come_back(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job("job1", owed(1), owed(2))))
        self.run(spool.apply(SpoolChange(gone=[("job1", 1)])))
        self.run(spool.apply(SpoolChange(altered=[("job1", owed(1)), ("job1", owed(3))])))
        assert self.due(spool) == [("job1", 2), ("job1", 3)]
        self.run(spool.apply(SpoolChange(gone=[("job1", 3)], altered=[("job1", owed(3))])))
        assert self.due(spool) == [("job1", 2)]

    def test_a_change_of_what_is_not_there_is_passed_over(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job()))
        change = SpoolChange(gone=[("nobody", 1), ("job1", 9)], altered=[("nobody", owed())])
        self.run(spool.apply(change))
        assert spool.counts() == SpoolCounts(1, 1)

    def test_a_change_is_made_whole_or_not_at_all(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job()))
        self.run(spool.accept(new_job("job2")))
        with pytest.raises(Unavailable):
            self.run(spool.apply(SpoolChange(gone=[("job1", 1)], new=[new_job("job2")])))
        assert self.due(spool) == [("job1", 1), ("job2", 1)]
        assert spool.counts() == SpoolCounts(2, 2)

    def test_who_was_altered_meanwhile_is_not_altered_by_who_saw_him_before(
        self, spool: JobSpool
    ) -> None:
        seen = [owed(n, state=RecipientState.HELD, due=5.0, last=LATER) for n in (1, 2, 3, 4)]
        self.run(spool.accept(new_job("job1", *seen)))
        released = [replace(one, state=RecipientState.WAITING, due=0.0) for one in seen[:2]]
        self.run(spool.apply(SpoolChange(altered=[("job1", one) for one in released])))
        told = [replace(one, notices=1) for one in (seen[1], seen[3])]
        change = SpoolChange(
            gone=[("job1", 1), ("job1", 3), ("nobody", 1)],
            altered=[("job1", one) for one in told],
            provided=[("job1", one) for one in seen] + [("nobody", seen[0])],
        )
        self.run(spool.apply(change))
        whole = self.run(spool.read("job1"))
        assert whole is not None
        assert list(whole.recipients) == [*released, told[1]]
        assert spool.counts() == SpoolCounts(1, 3)

    def test_a_failure_comes_with_its_report(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job()))
        report = new_job("report", kind=JobKind.REPORT, sender=NULL)
        self.run(spool.apply(SpoolChange(gone=[("job1", 1)], new=[report])))
        assert self.due(spool) == [("report", 1)]

    # ------------------------------------------------------------ reading

    def test_destinations_say_how_many_wait_and_since_when(self, spool: JobSpool) -> None:
        other = OwedRecipient(2, AccountTarget("bob", parse("bob@example.org")), due=3.0)
        self.run(spool.accept(new_job("job1", owed(due=5.0), other)))
        self.run(spool.accept(new_job("job2", owed(due=4.0))))
        found = {
            str(one.destination): (one.waiting, one.first_due)
            for one in self.run(spool.destinations())
        }
        assert found == {"smtp:example.net": (2, 4.0), "account:bob": (1, 3.0)}

    def test_due_are_those_of_one_destination_before_a_time(self, spool: JobSpool) -> None:
        for id, due in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
            self.run(spool.accept(new_job(id, owed(due=due), owed(2, "x@example.com"))))
        assert self.due(spool, 3.0) == [("a", 1), ("b", 1)]
        assert self.due(spool, 9.0, limit=1) == [("a", 1)]
        assert self.run(spool.first_due(EXAMPLE, 1.0)) == 2.0
        assert self.run(spool.first_due(EXAMPLE, 3.0)) is None

    def test_turns_know_submitter_and_priority(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job("a", submitter="carol@example.com")))
        asked = MailParameters(priority=4)
        self.run(spool.accept(new_job("b", sender=NULL, mail_parameters=asked)))
        found = self.run(spool.due(EXAMPLE, 9.0, 9))
        assert [(one.submitter, one.priority) for one in found] == [
            ("carol@example.com", 0),
            ("", 4),
        ]

    @pytest.mark.parametrize("limit", [99, 150, 199, 201, 400])
    def test_many_recipients_of_one_job_hide_no_other(self, spool: JobSpool, limit: int) -> None:
        self.run(spool.accept(new_job("news", *[owed(number) for number in range(1, 351)])))
        self.run(spool.accept(new_job("letter")))
        found = self.due(spool, limit=limit)
        of_news = min(350, limit, max(100, limit // 2))
        assert found[:of_news] == [("news", number) for number in range(1, of_news + 1)]
        assert found[of_news:] == [("letter", 1)][: limit - of_news]

    def test_the_oldest_are_found_whenever_they_are_due(self, spool: JobSpool) -> None:
        for id, arrived in (("b", 2.0), ("a", 2.0), ("c", 1.0), ("d", 9.0)):
            held = owed(3, state=RecipientState.HELD)
            self.run(spool.accept(new_job(id, owed(due=50.0), owed(2), held, arrived=arrived)))
        self.run(spool.accept(new_job("report", kind=JobKind.REPORT)))
        found = self.run(spool.older(JobKind.MAIL, 9.0, 10))
        order = [("c", 1), ("c", 2), ("a", 1), ("a", 2), ("b", 1), ("b", 2)]
        assert ids(one for _, one in found) == order
        assert {str(destination) for destination, _ in found} == {"smtp:example.net"}
        steps, after = [], None
        while step := self.run(spool.older(JobKind.MAIL, 9.0, 4, after)):
            steps += step
            after = step[-1][1]
        assert steps == found

    def test_only_those_who_wait_are_loaded(self, spool: JobSpool) -> None:
        held = owed(2, state=RecipientState.HELD, reason="by word")
        self.run(spool.accept(new_job("job1", owed(), held)))
        loaded = self.load(spool, "job1", 1, 2, 3)
        assert loaded is not None
        assert [one.number for one in loaded.recipients] == [1]
        assert self.load(spool, "job1", 2) is None
        assert self.load(spool, "nobody") is None
        whole = self.run(spool.read("job1"))
        assert whole is not None
        assert list(whole.recipients) == [owed(), held]

    def test_who_is_unreported_is_not_sent_again_and_found_by_jobs(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job("job1", owed(1), owed(2), owed(3))))
        self.run(spool.accept(new_job("job2")))
        ended = [owed(number, state=RecipientState.UNREPORTED, last=LATER) for number in (1, 2)]
        keys = [("job1", ended[0]), ("job1", ended[1]), ("job2", ended[0])]
        self.run(spool.apply(SpoolChange(altered=keys)))
        assert self.due(spool) == [("job1", 3)]
        assert self.load(spool, "job1", 1, 2) is None
        loaded = self.run(spool.load("job1", [1, 2, 3], RecipientState.UNREPORTED))
        assert loaded is not None
        assert list(loaded.recipients) == ended
        first = self.run(spool.unreported_page((0, 0), 2))
        assert first.jobs == {"job1": [1, 2]}
        assert first.after is not None
        second = self.run(spool.unreported_page(first.after, 2))
        assert (second.jobs, second.after) == ({"job2": [1]}, None)
        assert spool.counts() == SpoolCounts(2, 4)

    def test_more_unreported_of_a_job_than_fit_are_on_the_next_page(self, spool: JobSpool) -> None:
        self.run(spool.accept(new_job("job1", owed(1), owed(2), owed(3))))
        ended = [owed(number, state=RecipientState.UNREPORTED, last=LATER) for number in (1, 2, 3)]
        self.run(spool.apply(SpoolChange(altered=[("job1", one) for one in ended])))
        first = self.run(spool.unreported_page((0, 0), 2))
        assert (first.jobs, first.after is None) == ({"job1": [1, 2]}, False)
        assert first.after is not None
        second = self.run(spool.unreported_page(first.after, 2))
        assert (second.jobs, second.after) == ({"job1": [3]}, None)

    def test_who_is_unreported_is_altered_into_what_is_never_sent_alone(
        self, spool: JobSpool
    ) -> None:
        self.run(spool.accept(new_job()))
        ended = owed(1, state=RecipientState.UNREPORTED, last=LATER)
        self.run(spool.apply(SpoolChange(altered=[("job1", ended)])))
        for other in (owed(1), owed(1, state=RecipientState.HELD, reason="by word")):
            self.run(spool.apply(SpoolChange(altered=[("job1", other)])))
            whole = self.run(spool.read("job1"))
            assert whole is not None
            assert list(whole.recipients) == [ended]
        kept = undeliverable(ended, 50.0)
        self.run(spool.apply(SpoolChange(altered=[("job1", kept)])))
        whole = self.run(spool.read("job1"))
        assert whole is not None
        assert list(whole.recipients) == [kept]
        assert self.run(spool.unreported_page((0, 0), 5)).jobs == {}

    def test_held_ones_are_found_by_carrier(self, spool: JobSpool) -> None:
        account = OwedRecipient(
            2, AccountTarget("bob", parse("bob@example.org")), state=RecipientState.HELD
        )
        self.run(spool.accept(new_job("b", owed(state=RecipientState.HELD), account, arrived=2.0)))
        self.run(spool.accept(new_job("a", owed(state=RecipientState.HELD))))
        held = [(one.job.id, one.recipient.number) for one in self.run(spool.held()).found]
        assert sorted(held) == [("a", 1), ("b", 1), ("b", 2)]
        [found] = self.run(spool.held("account")).found
        assert found.recipient == account
        released = replace(account, state=RecipientState.WAITING)
        self.run(spool.apply(SpoolChange(altered=[("b", released)])))
        assert list(self.run(spool.held("account")).found) == []

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
    def test_held_ones_come_in_pages(self, spool: JobSpool, limit: int) -> None:
        for id, due in (("a", 5.0), ("b", 0.0), ("c", 5.0)):
            held = [
                owed(n, f"x@{n % 2}.example", state=RecipientState.HELD, due=due)
                for n in range(2, 5)
            ]
            self.run(spool.accept(new_job(id, owed(1), *held[:-1])))
            self.run(spool.apply(SpoolChange(altered=[(id, held[-1])])))
        page = self.run(spool.held("smtp", limit=limit))
        found = [*page.found]
        while page.after is not None:
            assert len(page.found) == limit
            page = self.run(spool.held("smtp", page.after, limit))
            found += page.found
        keys = [(one.job.id, one.recipient.number) for one in found]
        assert sorted(keys) == [(id, number) for id in "abc" for number in (2, 3, 4)]

    def test_held_ones_of_a_destination_are_counted_as_far_as_it_matters(
        self, spool: JobSpool
    ) -> None:
        held = [owed(n, state=RecipientState.HELD) for n in range(1, 6)]
        self.run(spool.accept(new_job("a", *held, owed(6), owed(7, "x@example.com"))))
        self.run(spool.prepare(new_job("b", held[0])))
        assert self.run(spool.count_held(EXAMPLE, 100)) == 5
        assert self.run(spool.count_held(EXAMPLE, 3)) == 3
        assert self.run(spool.count_held(Destination("list", "example.net"), 3)) == 0

    # ------------------------------------------------------------ sites

    def test_sites_are_remembered_until_they_are_well(self, spool: JobSpool) -> None:
        ill = SiteRecord("mx.example.net", 99.0, 3, LATER, 20, 6)
        self.run(spool.save_site(SiteRecord("mx.example.net", 5.0)))
        self.run(spool.save_site(ill))
        assert list(self.run(spool.sites())) == [ill]
        self.run(spool.save_site(SiteRecord("mx.example.net")))
        assert list(self.run(spool.sites())) == []

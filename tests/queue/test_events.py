"""Events of the queue, as lines of the log."""

from dataclasses import replace

from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.journey.event_lines import EVENTS, event_line, read_event
from twisted_mail.log import LogJournal
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.events import MAX_NAMED, MAX_TEXT, QueueEvents

ALICE, BOB = parse("alice@example.org"), parse("bob@example.net")
JOB = QueuedJob("1a", 1_000.0, ALICE, submitter="alice@example.org", size=512)
OWED = OwedRecipient(1, RemoteTarget(BOB))
SITE = "mx.example.net"
EMPTY = Message(MemoryBlob(b""))


def attempt(outcome: Outcome, **more) -> Attempt:
    return Attempt(
        outcome,
        at=1_002.5,
        host="mx.example.net",
        address="192.0.2.1",
        source="198.51.100.7",
        tls="TLSv1.3/TLS_AES_128_GCM_SHA256",
        use=2,
        phases={"dns": 0.0124, "content": 0.5},
        **more,
    )


REFUSED = replace(
    OWED,
    tries=3,
    due=2_000.0,
    last=attempt(
        Outcome(450, "4.2.2", 'Mailbox "bob" is full'),
        reply_class=ReplyClass.FULL,
        command="RCPT TO:<bob@example.net>",
    ),
)
SPOKEN = (
    "host=mx.example.net address=192.0.2.1 source=198.51.100.7 tls=TLSv1.3/TLS_AES_128_GCM_SHA256"
    " use=2 phases=dns:0.012,content:0.500"
)


def lines_of(note) -> list[str]:
    lines: list[str] = []
    note(QueueEvents(LogJournal(write=lines.append)))
    return lines


def test_what_is_accepted_names_all_who_are_owed():
    two = (OWED, replace(OWED, number=2, target=RemoteTarget(parse('"a b"@example.net'))))
    assert lines_of(lambda events: events.accepted(JOB, two)) == [
        (
            "1a: accepted from=<alice@example.org> account=alice@example.org size=512 kind=mail"
            r' recipients=2 to="<bob@example.net>,<\"a b\"@example.net>"'
        )
    ]


def test_of_very_many_recipients_some_are_named_and_all_counted():
    many = [replace(OWED, number=number) for number in range(MAX_NAMED + 5)]
    [line] = lines_of(lambda events: events.accepted(replace(JOB, sender=NULL), many))
    assert "from=<> " in line
    assert f"recipients={MAX_NAMED + 5} " in line
    assert line.endswith(",<bob@example.net>,+5")


def test_a_delivery_has_the_words_of_the_other_side():
    served = replace(
        OWED, tries=1, last=attempt(Outcome(250, "2.0.0", "Ok: queued as 4F1"), command=".")
    )
    assert lines_of(lambda events: events.delivered(JOB, served, SITE)) == [
        (
            "1a: delivered to=<bob@example.net> destination=smtp:example.net site=mx.example.net tries=1"
            f' delay=2.5 {SPOKEN} code=250 enhanced=2.0.0 text="Ok: queued as 4F1" command=.'
        )
    ]


def test_what_is_put_off_has_its_class_and_the_next_try():
    [line] = lines_of(lambda events: events.deferred(JOB, REFUSED, SITE))
    assert line == (
        "1a: deferred to=<bob@example.net> destination=smtp:example.net site=mx.example.net tries=3"
        rf' delay=2.5 {SPOKEN} class=full code=450 enhanced=4.2.2 text="Mailbox \"bob\" is full"'
        ' command="RCPT TO:<bob@example.net>" next=1970-01-01T00:33:20Z'
    )


def test_a_failure_and_an_expiry_have_the_last_attempt():
    [failed] = lines_of(lambda events: events.failed(JOB, REFUSED, SITE))
    [expired] = lines_of(lambda events: events.expired(JOB, REFUSED, SITE))
    assert failed.startswith("1a: failed to=<bob@example.net> ")
    assert expired == failed.replace("failed", "expired", 1)
    [untried] = lines_of(lambda events: events.expired(JOB, OWED, ""))
    assert untried == "1a: expired to=<bob@example.net> destination=smtp:example.net tries=0"


def test_a_site_that_is_not_reached_is_noted_without_a_recipient():
    silent = Attempt(
        Outcome(451, "4.4.1", "No answer"), 5.0, ReplyClass.NETWORK, host="mx.example.net"
    )
    to = Destination("smtp", "example.net")
    assert lines_of(lambda events: events.tried("", to, SITE, silent, 60.0)) == [
        (
            "tried destination=smtp:example.net site=mx.example.net until=1970-01-01T00:01:00Z"
            ' host=mx.example.net class=network code=451 enhanced=4.4.1 text="No answer"'
        )
    ]
    [line] = lines_of(lambda events: events.tried("1a", to, SITE, silent, 60.0))
    assert line.startswith("1a: tried ")


def test_where_an_alias_led_on_the_address_that_was_written_is_named():
    led = replace(OWED, original=ALICE)
    [line] = lines_of(lambda events: events.altered(JOB, led, "held", "operator"))
    assert line == (
        "1a: held to=<bob@example.net> for=<alice@example.org> destination=smtp:example.net"
        " by=operator"
    )


def test_what_is_removed_has_no_next_try():
    waiting = replace(OWED, due=9.0)
    [line] = lines_of(lambda events: events.altered(JOB, waiting, "removed", "root"))
    assert line.endswith("destination=smtp:example.net by=root")
    [line] = lines_of(lambda events: events.altered(JOB, waiting, "released", "root"))
    assert line.endswith("by=root next=1970-01-01T00:00:09Z")


def test_a_word_is_noted_with_its_filters_as_they_are_written():
    filters = Selection(sender="news@*", destinations=("smtp:a.example",), older=60.0)
    word = Word(Act.REMOVE, filters, by="root")
    assert lines_of(lambda events: events.word_done(word, 5)) == [
        (
            "word act=remove by=root recipients=5"
            ' selection="sender=news@* destinations=smtp:a.example older=60.0"'
        )
    ]


def test_a_report_is_noted_with_the_message_that_it_is_about():
    report = QueuedJob("2b", 1_010.0, NULL, JobKind.REPORT)
    told = [
        ReportedRecipient(REFUSED, ReportAction.FAILED),
        ReportedRecipient(replace(OWED, number=2), ReportAction.DELAYED, 9.0),
    ]
    assert lines_of(lambda events: events.reported(report, JOB, told)) == [
        (
            "1a: reported to=<alice@example.org> report=2b failed=<bob@example.net>"
            " delayed=<bob@example.net>"
        )
    ]
    [line] = lines_of(lambda events: events.reported(None, JOB, told[:1]))
    assert "report=none" in line


def test_what_the_other_side_says_cannot_look_like_a_field_or_a_line():
    said = Outcome(550, "5.1.1", 'no" code=250 text="ok\r\n1a: delivered')
    refused = replace(OWED, last=attempt(said, command="x" * (MAX_TEXT + 1)))
    [line] = lines_of(lambda events: events.failed(JOB, refused, SITE))
    assert r'text="no\" code=250 text=\"ok\r\n1a: delivered"' in line
    assert line.endswith(f"command={'x' * MAX_TEXT}")


def test_a_time_that_no_calendar_has_is_left_out():
    [line] = lines_of(lambda events: events.deferred(JOB, replace(REFUSED, due=1e30), SITE))
    assert "next=" not in line


def test_where_nobody_answered_there_is_no_word_on_tls():
    refused = Attempt(Outcome(451, "4.4.1", "Connection refused"), 5.0, address="192.0.2.1")
    [line] = lines_of(lambda events: events.failed(JOB, replace(OWED, last=refused), SITE))
    assert "tls" not in line
    said = replace(refused, is_reply=True, tls_failure="no shared cipher")
    [line] = lines_of(lambda events: events.failed(JOB, replace(OWED, last=said), SITE))
    assert " tls=none " in line
    assert line.endswith(' tls_failure="no shared cipher"')


def test_a_list_that_has_made_messages_is_named_with_them():
    new = [NewJob(replace(JOB, id=id), (OWED, OWED), EMPTY) for id in ("2b", "3c")]
    assert lines_of(lambda events: events.expanded(JOB, OWED, new)) == [
        "1a: expanded to=<bob@example.net> destination=smtp:example.net recipients=4 jobs=2b,3c"
    ]


def test_the_journey_has_the_same_events_as_data():
    events: list = []
    journal = QueueEvents(LogJournal(write=lambda _: None, record=events.append))
    journal.deferred(JOB, REFUSED, SITE)
    [(_, name, fields)] = events
    assert (name, fields["id"], fields["site"]) == ("deferred", "1a", SITE)
    data = read_event(event_line(events[0]).encode())
    assert data is not None
    assert (data["to"], data["code"], data["tries"]) == ("bob@example.net", 450, 3)
    assert data["phases"] == {"dns": 0.012, "content": 0.5}
    assert set(data) - {"id", "time", "event"} <= set(EVENTS["deferred"])

import pytest

from tests.policy.contexts import context, judged
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import Decision
from twisted_mail.policy.greylist import (
    KNOWN,
    Greylist,
    GreylistSettings,
    normalise_sender,
    triplet_key,
)
from twisted_mail.testing.doubles import InlineBlocking, StillClock
from twisted_mail.testing.recorded_log import ListJournal


class GreylistFixture:
    def __init__(self, state=None, blocking=None, **options):
        self.clock, self.journal = StillClock(), ListJournal()
        self.filter = Greylist(
            GreylistSettings(**options),
            self.clock,
            blocking or InlineBlocking(),
            self.journal,
            state,
        )

    def comes(self, *args, **more):
        return judged(self.filter, context(*args, **more))


def test_who_is_new_waits_and_who_comes_again_passes():
    fixture = GreylistFixture()
    first = fixture.comes()
    assert first.answer == Outcome(450, "4.7.1", "Greylisted: please try again in 60 seconds")
    fixture.clock.seconds += 40
    assert fixture.comes().answer.text.endswith("in 20 seconds")
    fixture.clock.seconds += 20
    assert fixture.comes().reason == "came again"
    assert fixture.comes(sender="b@other.example", recipient="bob@example.org") == KNOWN


def test_the_servers_of_a_network_are_one():
    fixture = GreylistFixture(passes=0)
    fixture.comes("192.0.2.1")
    fixture.clock.seconds += 60
    assert not fixture.comes("192.0.2.77").is_refusal
    assert fixture.comes("198.51.100.1").is_refusal
    assert fixture.comes("2001:db8::1").is_refusal
    fixture.clock.seconds += 60
    assert not fixture.comes("2001:db8::ffff:1").is_refusal


def test_only_after_so_many_passes_all_of_a_network_is_let_through():
    fixture = GreylistFixture(passes=2)
    for number in range(2):
        sender = f"{'ab'[number]}@client.example"
        assert fixture.comes(sender=sender).is_refusal
        fixture.clock.seconds += 60
        assert not fixture.comes(sender=sender).is_refusal
    assert fixture.comes(sender="c@client.example").decision is Decision.ACCEPT


def test_who_comes_too_late_begins_anew():
    fixture = GreylistFixture(window=3600)
    fixture.comes()
    fixture.clock.seconds += 3601
    assert fixture.comes().is_refusal
    fixture.clock.seconds += 60
    assert not fixture.comes().is_refusal


def test_who_is_known_is_forgotten_after_a_time_without_mail():
    fixture = GreylistFixture(passes=0)
    fixture.comes()
    fixture.clock.seconds += 60
    fixture.comes()
    fixture.clock.seconds += 30 * 86400
    assert fixture.comes().decision is Decision.ACCEPT
    fixture.clock.seconds += 30 * 86400
    assert fixture.comes().decision is Decision.ACCEPT
    fixture.clock.seconds += 37 * 86400
    assert fixture.comes().is_refusal


@pytest.mark.parametrize(
    "who",
    [
        {"host": "127.0.0.1"},
        {"submitter": "alice@example.org"},
        {"recipient": "Postmaster@example.org"},
    ],
)
def test_some_never_wait(who):
    assert GreylistFixture().comes(**who).decision is Decision.ACCEPT


def test_a_network_that_is_known_is_not_asked_about_again_and_again():
    class Counting(InlineBlocking):
        runs = 0

        async def run(self, work, *args, **kwargs):
            self.runs += 1
            return work(*args, **kwargs)

    blocking = Counting()
    fixture = GreylistFixture(blocking=blocking)
    fixture.comes()
    fixture.clock.seconds += 60
    fixture.comes()
    for at in range(50):
        assert fixture.comes(sender=f"{'abc'[at % 3]}@client.example").decision is Decision.ACCEPT
    assert blocking.runs == 3
    fixture.clock.seconds += 600
    fixture.comes()
    assert blocking.runs == 4


def test_it_survives_a_restart(tmp_path):
    fixture = GreylistFixture(tmp_path)
    fixture.comes()
    again = GreylistFixture(tmp_path)
    again.clock.seconds += 60
    assert not again.comes().is_refusal
    third = GreylistFixture(tmp_path)
    third.clock.seconds += 120
    assert third.comes(sender="x@y.example").decision is Decision.ACCEPT


def test_a_database_that_cannot_be_used_lets_everybody_through(tmp_path):
    fixture = GreylistFixture(tmp_path / "nowhere")
    for _ in range(3):
        verdict = fixture.comes()
        assert verdict.decision is Decision.ACCEPT
        assert verdict.reason == "the database cannot be asked"
    assert len(fixture.journal.events) == 1
    (tmp_path / "nowhere").mkdir()
    fixture.clock.seconds += 60
    assert fixture.comes().is_refusal


def test_a_damaged_database_lets_everybody_through(tmp_path):
    (tmp_path / "greylist.sqlite3").write_bytes(b"nonsense" * 1000)
    assert GreylistFixture(tmp_path).comes().decision is Decision.ACCEPT


def test_threads_that_are_too_busy_let_everybody_through():
    class Busy(InlineBlocking):
        async def run(self, work, *args, **kwargs):
            raise Unavailable("Too busy")

    assert GreylistFixture(blocking=Busy()).comes().decision is Decision.ACCEPT


def test_a_clock_that_is_set_back_locks_nobody_out():
    fixture = GreylistFixture()
    fixture.comes()
    fixture.clock.seconds -= 86400
    assert fixture.comes().is_refusal
    fixture.clock.seconds += 60
    assert not fixture.comes().is_refusal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bounce-123-45a@list.example", "bounce-9-77bc@list.example"),
        ("l+alice=example.org-1@list.example", "l+alice=example.org-2@list.example"),
        ("prvs=0123456789=Alice@x.example", "prvs=9a23456789=alice@x.example"),
        ("SRS0=abc=XY=y.example=bob@x.example", "srs0=zzz=ZZ=y.example=bob@x.example"),
    ],
)
def test_what_varies_in_a_sender_is_folded(one, other):
    assert normalise_sender(parse(one)) == normalise_sender(parse(other))


def test_senders_that_differ_stay_different():
    assert normalise_sender(parse("alice@x.example")) != normalise_sender(parse("bob@x.example"))
    assert normalise_sender(NULL) == ""
    assert normalise_sender(Address("a", "x.example")) == "a@x.example"


def test_a_key_tells_nobody_who_wrote_whom():
    key = triplet_key("192.0.2.0/24", parse("a@b.example"), parse("Alice@example.org"))
    assert len(key) == 16
    assert key == triplet_key("192.0.2.0/24", parse("A@b.example"), parse("alice@example.org"))


@pytest.mark.parametrize(
    "options",
    [{"window": 60}, {"ipv4_bits": 33}, {"file": "../x"}, {"max_entries": 0}, {"trusted": ("x",)}],
)
def test_settings_that_make_no_sense_are_mistakes(options):
    with pytest.raises(ValueError, match=r"."):
        GreylistSettings(**options)


def test_the_keys_of_a_network_begin_alike():
    one = triplet_key("192.0.2.0/24", parse("a@b.example"), parse("alice@example.org"))
    other = triplet_key("192.0.2.0/24", parse("c@d.example"), parse("bob@example.org"))
    third = triplet_key("198.51.100.0/24", parse("a@b.example"), parse("alice@example.org"))
    assert one[:4] == other[:4] != third[:4]
    assert len({one[4:], other[4:], third[4:]}) == 3
    assert len(one) == 16

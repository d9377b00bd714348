import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy import contexts
from tests.policy.connections import FakeConnector
from tests.policy.milter import filters as milter
from tests.policy.milter.filters import FakeFilter, packet, texts
from twisted_mail.interfaces import TlsInfo
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.mime.edited_message import MAX_HEADER
from twisted_mail.mail.outcome import Outcome, ProtocolError, Unavailable
from twisted_mail.mail.verdict import (
    ACCEPT,
    AddField,
    AddRecipient,
    ChangeBody,
    ChangeField,
    ChangeSender,
    Decision,
    DropRecipient,
    FilterStage,
    Verdict,
)
from twisted_mail.policy.milter.connection import CHUNK
from twisted_mail.policy.milter.filter import MilterFilter
from twisted_mail.policy.milter.settings import MilterSettings
from twisted_mail.testing.doubles import InlineBlocking, finish

CONNECT, HELLO, SENDER, RECIPIENT, MESSAGE = FilterStage
HEADER = b"Subject: hello,\r\n world\r\nX-A:1\r\n"
BODY = b"words\r\n"
TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)


class MilterFixture:
    """A filter of ours, and the fake ones behind it, one for each connection."""

    def __init__(self, *others, **options):
        self.others = list(others) or [FakeFilter()]
        self.waiting = list(self.others)
        self.connector = FakeConnector(lambda: self.waiting.pop(0))
        self.filter = MilterFilter(
            MilterSettings(**options), "mail.example.org", self.connector, InlineBlocking()
        )
        self.context = contexts.context()
        self.context.id = "id1"
        self.context.message = Message(MemoryBlob(HEADER + b"\r\n" + BODY), b"Received: x\r\n")
        self.context.header = HEADER

    @property
    def other(self):
        return self.others[0]

    def judge(self, *stages):
        """Ask at each stage up to the first refusal; return the last verdict."""
        for stage in stages:
            if stage is SENDER:
                self.context.verdicts.clear()
            verdict = finish(self.filter.judge(stage, self.context))
            if verdict.is_refusal:
                break
            if verdict != ACCEPT:
                self.context.verdicts.append(("milter", verdict))
        return verdict

    def whole(self):
        return self.judge(SENDER, RECIPIENT, MESSAGE)

    def ended(self, is_over=False):
        self.filter.ended(self.context, is_over)


def test_a_filter_is_told_the_whole_conversation():
    here = MilterFixture()
    assert here.whole() == ACCEPT
    here.ended()
    here.ended(is_over=True)
    assert here.other.told[1:] == [
        (b"C", texts(b"unknown") + b"4" + struct.pack(">H", 25000) + texts(b"192.0.2.1")),
        (b"H", texts(b"client.example")),
        (b"M", texts(b"<a@client.example>")),
        (b"R", texts(b"<alice@example.org>")),
        (b"T", b""),
        (b"L", texts(b"Subject", b"hello,\n world")),
        (b"L", texts(b"X-A", b"1")),
        (b"N", b""),
        (b"B", BODY),
        (b"E", b""),
        (b"Q", b""),
    ]
    assert not here.connector.lines[0].is_open


def test_another_hello_that_may_be_refused_does_not_come_between_the_steps_of_a_message():
    here = MilterFixture()
    here.judge(HELLO, SENDER, RECIPIENT)
    here.context.hello = "other.example"
    assert here.judge(HELLO, MESSAGE) == ACCEPT
    here.ended()
    here.whole()
    kinds = b"".join(kind for kind, _ in here.other.told[1:])
    assert kinds == b"CHMRTLLNBE" + b"HMRTLLNBE"
    assert here.other.data(b"H") == [texts(b"client.example"), texts(b"other.example")]


def test_another_hello_does_not_make_a_filter_forget_what_it_said_of_the_message():
    here = MilterFixture(FakeFilter({b"M": packet(b"d")}))
    here.judge(HELLO, SENDER)
    here.judge(HELLO, RECIPIENT, MESSAGE)
    assert b"R" not in [kind for kind, _ in here.other.told]


def test_our_own_trace_is_not_told_but_what_was_added_is():
    here = MilterFixture()
    here.context.message = Message(
        here.context.message.blob, b"Received: x\r\nMessage-ID: <1@example.org>\r\n"
    )
    here.judge(SENDER, RECIPIENT)
    here.context.verdicts.append(
        ("other", Verdict(edits=(AddField("X-B", "2"), ChangeBody(b"new"))))
    )
    here.judge(MESSAGE)
    names = [data.split(b"\0")[0] for data in here.other.data(b"L")]
    assert names == [b"X-B", b"Message-ID", b"Subject", b"X-A"]
    assert here.other.data(b"B") == [b"new"]


def test_macros_go_with_the_steps():
    here = MilterFixture()
    here.context.tls_info, here.context.submitter = TLS, "alice@example.org"
    here.context.reverse_name = "client.example"
    here.whole()
    macros = here.other.macros
    assert macros[b"C"][b"j"] == b"mail.example.org"
    assert macros[b"C"][b"{client_addr}"] == b"192.0.2.1"
    assert macros[b"C"][b"{client_name}"] == b"client.example"
    assert macros[b"H"] == {
        b"{tls_version}": b"TLSv1.3",
        b"{cipher}": b"TLS_AES_256_GCM_SHA384",
        b"{cipher_bits}": b"256",
    }
    assert macros[b"M"][b"i"] == b"id1"
    assert macros[b"M"][b"{auth_authen}"] == b"alice@example.org"
    assert macros[b"M"][b"{mail_addr}"] == b"a@client.example"
    assert macros[b"R"] == {
        b"i": b"id1",
        b"{rcpt_addr}": b"alice@example.org",
        b"{rcpt_host}": b"example.org",
        b"{rcpt_mailer}": b"local",
    }
    assert macros[b"E"][b"i"] == b"id1"


def test_a_filter_gets_the_macros_that_it_asks_for():
    here = MilterFixture(FakeFilter(symbols=struct.pack(">I", 2) + b"{client_addr} i {nonsense}\0"))
    here.whole()
    assert here.other.macros[b"M"] == {b"i": b"id1", b"{client_addr}": b"192.0.2.1"}


def test_steps_that_are_not_wanted_are_not_told():
    here = MilterFixture(FakeFilter(protocol_steps=0x01 | 0x02 | 0x10 | 0x20 | 0x40 | 0x200))
    assert here.whole() == ACCEPT
    assert here.other.kinds == b"OMRE"


def test_steps_that_are_not_answered_are_not_waited_for():
    silent = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x40000 | 0x80000
    here = MilterFixture(FakeFilter(protocol_steps=silent))
    assert here.whole() == ACCEPT
    assert here.other.kinds == b"OCHMRTLLNBE"
    assert len(here.connector.lines[0].timeouts) <= 4


def test_an_old_filter_hears_nothing_of_data():
    here = MilterFixture(FakeFilter(version=2))
    assert here.whole() == ACCEPT
    assert here.other.kinds == b"OCHMRLLNBE"


def test_where_spaces_are_kept_values_begin_behind_the_colon():
    here = MilterFixture(
        FakeFilter({b"E": milter.add(b"X-B", b" 2") + milter.ACCEPT}, protocol_steps=0x100000)
    )
    assert here.whole().edits == (AddField("X-B", "2", at_end=True),)
    assert here.other.data(b"L")[1:] == [texts(b"X-A", b"1")]
    assert here.other.data(b"L")[0] == texts(b"Subject", b" hello,\n world")


def test_a_body_comes_in_chunks_and_no_more_than_is_wanted():
    here = MilterFixture()
    body = b"x" * (2 * CHUNK + 5)
    here.context.message = Message(MemoryBlob(HEADER + b"\r\n" + body), b"")
    here.whole()
    chunks = here.other.data(b"B")
    assert b"".join(chunks) == body
    assert max(map(len, chunks)) == CHUNK
    here = MilterFixture(FakeFilter({b"B": milter.SKIP}, protocol_steps=0x400))
    here.context.message = Message(MemoryBlob(HEADER + b"\r\n" + body), b"")
    assert here.whole() == ACCEPT
    assert here.other.kinds.count(b"B") == 1


# ---------------------------------------------------------------- decisions


@pytest.mark.parametrize("step", [b"C", b"H", b"M", b"T", b"L", b"N", b"B", b"E"])
def test_a_filter_may_refuse_at_any_step(step):
    here = MilterFixture(FakeFilter({step: milter.REJECT}))
    assert here.whole().decision is Decision.REFUSE
    here = MilterFixture(FakeFilter({step: milter.TEMPFAIL}))
    assert here.whole().decision is Decision.DEFER
    here = MilterFixture(FakeFilter({step: milter.reply(b"451 4.3.2 Full\r\n")}))
    assert here.whole().answer == Outcome(451, "4.3.2", "Full")


@pytest.mark.parametrize("step", [b"C", b"H", b"M", b"R", b"T", b"L", b"N", b"B", b"E"])
def test_after_a_decision_the_filter_is_not_asked_any_more(step):
    here = MilterFixture(FakeFilter({step: milter.ACCEPT}))
    assert here.whole() == ACCEPT
    assert here.other.kinds[-1:] == step
    here = MilterFixture(FakeFilter({step: milter.DISCARD}))
    here.whole()
    assert here.context.verdicts == [("milter", Verdict(Decision.DISCARD, "discarded"))]


def test_a_refused_recipient_is_refused_alone():
    here = MilterFixture(FakeFilter({b"R": [milter.REJECT, milter.CONTINUE]}))
    assert here.judge(SENDER, RECIPIENT).decision is Decision.REFUSE
    assert here.judge(RECIPIENT, MESSAGE) == ACCEPT
    assert here.other.kinds.endswith(b"RRTLLNBE")


def test_a_filter_that_takes_its_time_says_so():
    here = MilterFixture(FakeFilter({b"E": milter.PROGRESS * 3 + milter.CONTINUE}))
    assert here.whole() == ACCEPT


def test_what_was_decided_of_a_client_holds_for_all_its_messages():
    here = MilterFixture(FakeFilter({b"C": milter.REJECT}))
    assert here.whole().is_refusal
    here.ended()
    assert here.whole().is_refusal
    assert here.other.kinds == b"OC"
    here = MilterFixture(FakeFilter({b"H": milter.ACCEPT}))
    here.whole()
    here.ended()
    assert here.whole() == ACCEPT
    assert here.other.kinds == b"OCH"


def test_what_was_decided_of_a_name_holds_until_it_changes():
    here = MilterFixture(FakeFilter({b"H": [milter.REJECT, milter.CONTINUE]}))
    assert here.whole().is_refusal
    here.ended()
    here.context.tls_info = TLS
    assert here.whole() == ACCEPT
    assert here.other.kinds == b"OCHHMRTLLNBE"


def test_messages_of_a_conversation_share_a_connection():
    here = MilterFixture()
    here.whole()
    here.ended()
    here.whole()
    here.ended(is_over=True)
    assert here.other.kinds == b"OCHMRTLLNBEMRTLLNBEQ"


def test_a_message_without_end_is_aborted():
    here = MilterFixture()
    here.judge(SENDER, RECIPIENT)
    here.ended()
    here.ended()
    here.judge(SENDER)
    here.ended(is_over=True)
    assert here.other.kinds == b"OCHMRAMQ"


def test_a_filter_may_be_told_of_clients_when_they_come():
    here = MilterFixture(FakeFilter({b"C": milter.reply(b"554 5.7.1 Never")}), begins="connect")
    assert set(here.filter.stages) == set(FilterStage)
    assert here.judge(CONNECT).answer == Outcome(554, "5.7.1", "Never")
    here = MilterFixture(begins="hello")
    assert set(here.filter.stages) == set(FilterStage) - {CONNECT}
    assert here.judge(HELLO, SENDER) == ACCEPT
    assert here.other.kinds == b"OCHM"


def test_people_who_have_logged_in_may_be_left_alone():
    here = MilterFixture(skips_submitted=True)
    here.context.submitter = "alice@example.org"
    assert here.whole() == ACCEPT
    assert not here.connector.dialed
    here.ended(is_over=True)


def test_a_client_of_a_unix_socket_and_the_null_sender():
    here = MilterFixture()
    here.context.peer = type(here.context.peer)("", 0)
    here.context.sender = NULL
    here.whole()
    assert here.other.data(b"C") == [b"unknown\0U"]
    assert here.other.data(b"M") == [b"<>\0"]
    here = MilterFixture()
    here.context.peer = type(here.context.peer)("2001:db8::1", 25)
    here.whole()
    assert here.other.data(b"C") == [b"unknown\x006\0\x192001:db8::1\0"]


# ---------------------------------------------------------------- edits


def test_a_filter_alters_a_message_at_its_end():
    said = [
        milter.add(b"X-End", b"1"),
        milter.insert(1, b"X-First", b"2"),
        milter.change(1, b"Subject", b"other"),
        packet(b"e", texts(b"<new@example.org>")),
        packet(b"+", texts(b"<bob@example.org>")),
        packet(b"-", texts(b"<alice@example.org>")),
        packet(b"b", b"new "),
        packet(b"b", b"body\r\n"),
        packet(b"q", texts(b"odd")),
        milter.ACCEPT,
    ]
    verdict = MilterFixture(FakeFilter({b"E": b"".join(said)})).whole()
    assert verdict == Verdict(
        Decision.QUARANTINE,
        "odd",
        edits=(
            AddField("X-End", "1", at_end=True),
            AddField("X-First", "2", place=1),
            ChangeField("Subject", 1, "other"),
            ChangeSender(parse("new@example.org")),
            AddRecipient(parse("bob@example.org")),
            DropRecipient(parse("alice@example.org")),
            ChangeBody(b"new body\r\n"),
        ),
    )


@pytest.mark.parametrize("body", [b"a\nb\r\n.\r", b"a\r\nb\r\n.\r\n"])
def test_a_new_body_has_whole_line_ends(body):
    here = MilterFixture(FakeFilter({b"E": packet(b"b", body) + milter.ACCEPT}))
    assert here.whole().edits == (ChangeBody(b"a\r\nb\r\n.\r\n"),)


def test_what_was_to_be_altered_of_a_refused_message_is_forgotten():
    here = MilterFixture(FakeFilter({b"E": milter.add(b"X-End", b"1") + milter.REJECT}))
    assert here.whole().edits == ()


@pytest.mark.parametrize(
    ("said", "options"),
    [
        (packet(b"e", texts(b"<a@b.example>")), {"allows": ("fields",)}),
        (packet(b"b", b"x" * 11), {"max_body": 10}),
        (milter.add(b"X", b"1") * 501, {}),
        (milter.add(b"X", b"1" * 500_000) * 9, {}),
        (packet(b"?"), {}),
    ],
)
def test_a_filter_that_asks_for_what_it_may_not_fails(said, options):
    here = MilterFixture(FakeFilter({b"E": said + milter.ACCEPT}), **options)
    with pytest.raises(ProtocolError):
        here.whole()
    assert not here.connector.lines[0].is_open


def test_an_edit_before_the_end_is_out_of_place():
    here = MilterFixture(FakeFilter({b"M": milter.add(b"X", b"1")}))
    with pytest.raises(ProtocolError):
        here.whole()


# ---------------------------------------------------------------- failures


def test_a_header_that_never_ends_is_refused():
    here = MilterFixture()
    here.context.header = b"A: " + b"x" * MAX_HEADER
    here.context.message = Message(MemoryBlob(here.context.header), b"")
    assert here.whole().answer.code == 552
    here.ended()
    assert here.other.kinds == b"OCHMRA"


def test_a_filter_that_cannot_be_reached_is_tried_for_the_next_message():
    here = MilterFixture(None, FakeFilter())
    with pytest.raises(Unavailable):
        here.judge(SENDER)
    with pytest.raises(Unavailable):
        here.judge(MESSAGE)
    here.ended()
    assert here.whole() == ACCEPT
    assert here.others[1].kinds == b"OCHMRTLLNBE"


@pytest.mark.parametrize("said", [b"", packet(b"4"), packet(b"f"), b"\0\0\0\0", b"\xff" * 5])
def test_a_filter_that_breaks_off_is_asked_no_more_of_this_message(said):
    here = MilterFixture(FakeFilter({b"R": said}), FakeFilter())
    with pytest.raises((Unavailable, ProtocolError)):
        here.whole()
    assert not here.connector.lines[0].is_open
    with pytest.raises(Unavailable):
        here.judge(MESSAGE)
    here.ended()
    assert here.whole() == ACCEPT
    here.ended(is_over=True)
    assert here.others[1].kinds == b"OCHMRTLLNBEQ"


def test_a_connection_that_was_closed_meanwhile_is_made_anew():
    here = MilterFixture(FakeFilter(), FakeFilter())
    here.whole()
    here.ended()
    here.connector.lines[0].close()
    assert here.whole() == ACCEPT
    assert here.others[1].kinds == b"OCHMRTLLNBE"


def test_a_message_that_cannot_be_read_is_not_judged():
    class BrokenBlob(MemoryBlob):
        def pieces(self, start=0, stop=None):
            raise OSError

    here = MilterFixture()
    here.context.message = Message(BrokenBlob(HEADER + b"\r\n" + b"x" * 100_000), b"")
    with pytest.raises(Unavailable):
        here.whole()


def test_who_is_waited_for_too_long_is_left():
    class Slow(FakeConnector):
        async def connect(self, endpoint, timeout):
            line = await super().connect(endpoint, timeout)
            line.read = self.read
            return line

        async def read(self, timeout):
            await Pause()

    class Pause:
        def __await__(self):
            yield

    here = MilterFixture()
    here.filter._connector = slow = Slow(FakeFilter)
    asking = here.filter.judge(SENDER, here.context)
    asking.send(None)
    with pytest.raises(TimeoutError):
        asking.throw(TimeoutError())
    assert not slow.lines[0].is_open
    with pytest.raises(Unavailable):
        here.judge(RECIPIENT)


OCTETS = st.sampled_from(
    [milter.CONTINUE, milter.ACCEPT, milter.SKIP, milter.add(b"X", b"1"), b"\0\0", b"junk"]
)


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from([bytes([one]) for one in b"OCHMRTLNBE"]), OCTETS),
    st.integers(0, 0x1FFFFF),
)
def test_whatever_a_filter_says_there_is_a_verdict_or_an_error(answers, protocol_steps):
    here = MilterFixture(
        FakeFilter(answers, protocol_steps=protocol_steps & ~0x800), *[FakeFilter()] * 3
    )
    for _ in range(2):
        try:
            assert isinstance(here.whole(), Verdict)
        except (Unavailable, ProtocolError):
            assert not here.connector.lines or not here.connector.lines[-1].is_open
        here.ended()
    here.ended(is_over=True)
    assert all(not line.is_open for line in here.connector.lines)

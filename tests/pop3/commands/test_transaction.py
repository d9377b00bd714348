import pytest

from tests.pop3.fakes import LOGIN, Pop3Fixture
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.pop3.settings import Settings
from twisted_mail.testing.doubles import finish

ONE = b"Subject: one\r\n\r\n.dot\r\n"  # 22 octets
TWO = b"Subject: two\r\n\r\na\r\nb\r\nc\r\n"  # 25 octets


def replies(commands, *messages, pop3=None, **terms):
    return (pop3 or Pop3Fixture(*(messages or (ONE, TWO)))).replies(commands, **terms)


# ------------------------------------------------------------ STAT LIST UIDL NOOP


def test_stat_counts_messages_and_octets():
    assert replies(b"STAT\r\n") == ["+OK 2 47"]


def test_list_gives_sizes_as_sent():
    assert replies(b"LIST\r\nLIST 2\r\n") == [
        "+OK 2 messages (47 octets)",
        "1 22",
        "2 25",
        ".",
        "+OK 2 25",
    ]


def test_uidl_gives_unique_ids():
    pop3 = Pop3Fixture(ONE, TWO)
    validity = f"{pop3.mailbox.uidvalidity:08x}"
    assert pop3.replies(b"UIDL\r\nUIDL 2\r\n")[1:] == [
        "1 00000001" + validity,
        "2 00000002" + validity,
        ".",
        "+OK 2 00000002" + validity,
    ]


def test_an_empty_maildrop_has_empty_listings():
    pop3 = Pop3Fixture()
    assert pop3.replies(b"STAT\r\nLIST\r\nUIDL\r\n") == [
        "+OK 0 0",
        "+OK 0 messages (0 octets)",
        ".",
        "+OK 0 messages (0 octets)",
        ".",
    ]


def test_deleted_messages_are_not_counted_nor_listed():
    assert replies(
        b"DELE 1\r\nSTAT\r\nLIST\r\nUIDL 1\r\nLIST 1\r\nRETR 1\r\nDELE 1\r\nTOP 1 1\r\n"
    ) == [
        "+OK Message 1 deleted",
        "+OK 1 25",
        "+OK 1 message (25 octets)",
        "2 25",
        ".",
        *["-ERR Message 1 is deleted"] * 5,
    ]


@pytest.mark.parametrize("command", [b"RETR", b"DELE", b"LIST", b"UIDL"])
def test_numbers_that_are_not_there_are_refused(command):
    commands = b"".join(b"%b %b\r\n" % (command, number) for number in (b"0", b"3", b"9999999999"))
    assert replies(commands) == ["-ERR No such message, only 2 in the maildrop"] * 3
    assert replies(command + b" -1\r\n")[0].startswith("-ERR ")


def test_a_listing_of_many_messages_leaves_in_parts():
    pop3 = Pop3Fixture(*[b"x\r\n"] * 20_000)
    wire = pop3.talk(LOGIN, b"LIST\r\nUIDL\r\n")
    assert wire.text.count("\r\n") == 3 + 2 * 20_002
    assert max(map(len, wire.groups)) < 200_000


def test_noop_does_nothing_and_takes_nothing():
    assert replies(b"noop\r\nNOOP 1\r\nSTAT 1\r\nRSET 1\r\nQUIT 1\r\n") == [
        "+OK",
        *["-ERR This command takes no argument"] * 4,
    ]


# ------------------------------------------------------------ RETR and TOP


def test_retr_sends_the_message_with_dots_doubled():
    assert replies(b"RETR 1\r\n") == ["+OK 22 octets", "Subject: one", "", "..dot", "."]


def test_a_message_without_final_crlf_ends_its_reply_properly():
    assert replies(b"RETR 1\r\nNOOP\r\n", b"a\r\n\r\nb") == [
        "+OK 6 octets",
        "a",
        "",
        "b",
        ".",
        "+OK",
    ]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_messages_of_any_size_are_sent_whole(size):
    message = (b".\r\n" * (size // 3 + 1))[:size]
    wire = Pop3Fixture(message).talk(LOGIN, b"RETR 1\r\n")
    body = wire.text.partition(f"+OK {size} octets\r\n")[2]
    end = "" if not size or message.endswith(b"\r\n") else "\r\n"
    assert body.replace("..", ".") == message.decode() + end + ".\r\n"
    assert max(map(len, wire.groups)) <= 2 * PIECE


def test_top_sends_header_and_lines():
    head = ["+OK Top of message follows", "Subject: two", ""]
    assert replies(b"TOP 2 0\r\nTOP 2 1\r\nTOP 2 999\r\n") == [
        *[*head, "."],
        *[*head, "a", "."],
        *[*head, "a", "b", "c", "."],
    ]


@pytest.mark.parametrize(
    "line", [b"TOP", b"TOP 1", b"TOP 1 -1", b"TOP 1 x", b"TOP 1 1 1", b"TOP x 1"]
)
def test_top_needs_two_numbers(line):
    assert replies(line + b"\r\n")[0].startswith("-ERR ")


def test_top_reads_no_more_than_it_needs():
    pop3 = Pop3Fixture(b"A: b\r\n\r\n" + b"line\r\n" * 1_000_000)
    asked = []
    read = pop3.mailbox._mailbox.read

    async def watched(pieces):
        asked.extend(pieces)
        return await read(pieces)

    pop3.mailbox.read = watched
    assert len(pop3.replies(b"TOP 1 3\r\n")) == 7
    assert sum(piece.stop - piece.start for piece in asked) <= 64 * 1024


def test_a_message_that_vanished_is_refused_and_the_numbers_stay():
    pop3 = Pop3Fixture(ONE, TWO)

    def expunge():
        finish(pop3.mailbox.expunge([1]))
        return b"RETR 1\r\nTOP 1 1\r\nRETR 2\r\nSTAT\r\n"

    gone = "-ERR [SYS/TEMP] Message 1 is no longer there: log in again"
    found = pop3.replies(expunge)
    assert found[:3] == [gone, gone, "+OK 25 octets"]
    assert found[-1] == "+OK 2 47"


def test_a_message_that_vanishes_amid_its_reply_ends_the_conversation():
    pop3 = Pop3Fixture(b"x" * (2 * PIECE))
    read = pop3.mailbox._mailbox.read

    async def vanishing(pieces):
        return [None] if pieces[0].start else await read(pieces)

    pop3.mailbox.read = vanishing
    text = pop3.talk(LOGIN, b"RETR 1\r\nDELE 1\r\nQUIT\r\n").text
    assert text.endswith("x" * PIECE)
    assert pop3.reasons == ["reply cut short"]
    assert pop3.uids == [1]


def test_what_arrives_during_the_session_is_not_seen():
    pop3 = Pop3Fixture(ONE)

    def arrive():
        finish(pop3.account.append("INBOX", [NewMessage(Message(MemoryBlob(TWO)))]))
        return b"STAT\r\nRETR 2\r\n"

    assert pop3.replies(arrive) == ["+OK 1 22", "-ERR No such message, only 1 in the maildrop"]


def test_a_disk_that_is_away_is_a_temporary_trouble():
    pop3 = Pop3Fixture(ONE, read=Unavailable("The disk is away"))
    assert pop3.replies(b"RETR 1\r\nNOOP\r\n") == ["-ERR [SYS/TEMP] The disk is away", "+OK"]


# ------------------------------------------------------------ \Seen


def seen(pop3):
    return [flags.SEEN in each for each in pop3.mailbox.columns.flags]


def test_what_retr_sent_is_seen_afterwards():
    pop3 = Pop3Fixture(ONE, TWO)
    pop3.talk(LOGIN, b"RETR 2\r\nTOP 1 0\r\n")
    assert seen(pop3) == [False, True]


def test_seen_messages_are_not_marked_again():
    pop3 = Pop3Fixture(ONE, mark=ZeroDivisionError())
    finish(pop3.mailbox._mailbox.mark([1], "add", flags.normal([flags.SEEN])))
    pop3.talk(LOGIN, b"RETR 1\r\nQUIT\r\n")
    assert not pop3.bugs


def test_marking_can_be_switched_off():
    pop3 = Pop3Fixture(ONE)
    pop3.talk(LOGIN, b"RETR 1\r\nQUIT\r\n", settings=Settings(marks_seen=False))
    assert seen(pop3) == [False]


# ------------------------------------------------------------ RSET


def test_rset_takes_deletions_back():
    pop3 = Pop3Fixture(ONE, TWO)
    assert pop3.replies(b"DELE 1\r\nDELE 2\r\nRSET\r\nSTAT\r\nQUIT\r\n")[2:4] == [
        "+OK 2 messages (47 octets)",
        "+OK 2 47",
    ]
    assert pop3.uids == [1, 2]

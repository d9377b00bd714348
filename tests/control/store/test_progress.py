import io

from twisted_mail.control.store.importing import imap_replies
from twisted_mail.control.store.progress import Progress
from twisted_mail.control.store.skipped import SkippedItems


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_terminal_gets_a_bar_with_rate_and_remaining_time() -> None:
    stream, time = Terminal(), Time()
    with Progress(100, stream=stream, now=time) as progress:
        progress.place = "INBOX\x1b[2J"
        time.seconds = 5
        progress.step(50)
        assert stream.getvalue().startswith("\r[############............] 50/100  messages  10/s")
        assert "0:05 left" in stream.getvalue()
        assert "\x1b[2J" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_elsewhere_a_line_comes_now_and_then() -> None:
    stream, time = io.StringIO(), Time()
    with Progress(8000, stream=stream, now=time) as progress:
        for _ in range(25):
            time.seconds += 1
            progress.step(1)
    assert stream.getvalue().count("\n") == 2
    assert "2:1" in stream.getvalue()


def test_nothing_is_shown_to_programs() -> None:
    stream, time = Terminal(), Time()
    with Progress(2, is_shown=False, stream=stream, now=time) as progress:
        time.seconds = 99
        progress.step()
    assert stream.getvalue() == ""


def test_a_long_list_of_bad_items_is_cut_for_people() -> None:
    skipped = SkippedItems()
    for number in range(150):
        skipped.add(str(number), "no")
    assert skipped.lines()[-1] == "  and 50 more (--json lists all)"
    assert len(skipped.data()) == 150


def test_names_of_another_server_become_names_here() -> None:
    local = imap_replies.local_name
    assert local(b"INBOX.Sent", b".") == "INBOX/Sent"
    assert local(b"inbox", b"/") == "INBOX"
    assert local(b"a/b.c", b".") == "a_b/c"
    assert local(b"K&APY-ln", b"/") == "Köln"


def test_answers_of_list_are_understood() -> None:
    assert imap_replies.mailbox(b'(\\HasChildren) "/" "a \\"b\\""') == (
        b"\\HasChildren",
        b"/",
        b'a "b"',
    )
    assert imap_replies.mailbox(b"() NIL INBOX") == (b"", b"", b"INBOX")
    assert imap_replies.mailbox((b'() "." {3}', b"x.y")) == (b"", b".", b"x.y")
    assert imap_replies.mailbox(b"nonsense") is None


def test_a_uid_may_come_after_the_message() -> None:
    answers = [(b"1 (UID 7 BODY[] {1}", b"a"), b")", (b"2 (BODY[] {1}", b"b"), b" UID 9)"]
    found = imap_replies.fetched(answers)
    assert {uid: imap_replies.body(about) for uid, about in found.items()} == {7: b"a", 9: b"b"}

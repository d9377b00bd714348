"""The player of dialogues against a server that says what a test wants."""

from pathlib import Path

import pytest

from tests.dialogues.player import play
from tests.dialogues.score import read


class ScriptedLine:
    """Has a line for each call, whatever is sent."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.sent: list[bytes] = []

    def send(self, pieces: list[bytes]) -> None:
        self.sent += pieces

    def line(self) -> str | None:
        return self.lines.pop(0) if self.lines else None

    def start_tls(self) -> None: ...

    def close(self) -> None: ...

    def pass_time(self, seconds: float) -> None: ...


def played(folder: Path, text: str, *lines: str) -> ScriptedLine:
    (folder / "it.txt").write_text(text)
    line = ScriptedLine(*lines)
    play(read(folder / "it.txt"), lambda connection: line)
    assert not line.lines
    return line


SELECTED = "# T\nservice: imap\nselected: Work\n\n"
READY = "* OK ready", "login OK in", "* 1 EXISTS", "* OK [UIDVALIDITY 7] x", "select OK done"


def test_a_mailbox_is_selected_after_login(tmp_path: Path) -> None:
    line = played(tmp_path, SELECTED + "C: a NOOP\nS: a OK %{uidvalidity}\n", *READY, "a OK 7")
    assert line.sent == [
        b"login LOGIN alice@example.org secret\r\n",
        b"select SELECT Work\r\n",
        b"a NOOP\r\n",
    ]


def test_a_hello_may_have_many_replies(tmp_path: Path) -> None:
    text = "# T\nservice: submission\nafter: EHLO x\nafter: login\n\nC: NOOP\nS: 250 ok\n"
    line = played(tmp_path, text, "220 hi", "250-a", "250-b", "250 c", "235 in", "250 ok")
    assert line.sent[0] == b"EHLO x\r\n"
    assert line.sent[1].startswith(b"AUTH PLAIN ")


def test_a_prelude_that_is_refused_is_no_prelude(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="login NO"):
        played(tmp_path, SELECTED + "C: a NOOP\n", "* OK ready", "login NO sorry")


def test_untagged_lines_may_come_where_the_dialogue_says_so(tmp_path: Path) -> None:
    text = "# T\nservice: imap\nafter: greeting\n\nC: a X\nS: (anything untagged)\nS: a OK\n"
    played(tmp_path, text, "* OK ready", "a OK")
    played(tmp_path, text, "* OK ready", "* 1 EXISTS", "* 2 RECENT", "a OK")
    with pytest.raises(AssertionError, match="got 'b OK'"):
        played(tmp_path, text, "* OK ready", "* 1 EXISTS", "b OK")


def test_they_may_not_come_elsewhere(tmp_path: Path) -> None:
    text = "# T\nservice: imap\nafter: greeting\n\nC: a X\nS: a OK\n"
    with pytest.raises(AssertionError, match="EXISTS"):
        played(tmp_path, text, "* OK ready", "* 1 EXISTS", "a OK")

"""twisted-mail queue, while a server has the queue: words are given, seen, done and answered."""

import apsw
import pytest

from tests.control.queue.filled import fill, opened_spool, queue_folder
from tests.control.terminal import Terminal
from tests.queue.words.operated import OperatedQueue
from twisted_mail.control.queue import speaking
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.queue.events import QueueEvents
from twisted_mail.queue.spool.lock import QueueLock
from twisted_mail.queue.words.listener import WordDoors, WordListener
from twisted_mail.queue.words.store import SpoolWords
from twisted_mail.testing.doubles import finish


class RunningServer:
    """What a server does once a second, done whenever the command waits for it."""

    def __init__(self, terminal: Terminal) -> None:
        self.spool = opened_spool(terminal)
        self.operated = double = OperatedQueue()
        self.polls = 0
        self._listener = WordListener(
            WordDoors(
                SpoolWords(self.spool.query),
                self.spool,
                double,
                double,
                double.journal,
                QueueEvents(double.events),
                double.now,
            )
        )

    def poll(self) -> None:
        self.polls += 1
        finish(self._listener.poll())


@pytest.fixture
def running(server: Terminal, monkeypatch: pytest.MonkeyPatch):
    fill(server)
    found = RunningServer(server)
    monkeypatch.setattr(speaking, "pause", found.poll)
    yield found
    finish(found.spool.close())


def test_a_word_is_done_by_the_server_and_its_result_told(
    server: Terminal, running: RunningServer
) -> None:
    assert server("queue", "hold", "--domain", "one.example") == 0
    assert server.out == "2 recipients of 2 messages are held\n"
    assert running.polls == 1
    assert running.operated.look_agains == [({"smtp:one.example"}, False)]
    assert server.json("queue")["held"] == 3


def test_fail_is_told_how_many_reports_were_written(
    server: Terminal, running: RunningServer
) -> None:
    assert server("queue", "fail", "1a") == 0
    assert server.out.splitlines() == [
        "2 recipients of 1 message have failed, and are reported",
        "1 report to senders",
    ]
    assert running.operated.told == [("1a", [1, 2])]
    assert [one["id"] for one in server.json("queue", "list")["recipients"]] == [
        "2b",
        "3c",
        "r1",
    ]


def test_the_server_knows_what_waits_for_a_site(server: Terminal, running: RunningServer) -> None:
    assert server("queue", "show", "1a/2") == 0
    assert "waits for   the site mx.two.example, which rests until" in server.out
    assert "because no answer" in server.out
    assert "does not run" not in server.out
    assert server("queue") == 0
    assert "the server runs" in server.out
    assert server("queue", "list", "1a/2") == 0
    assert server.out.splitlines()[1].endswith("no answer")


def test_a_site_selects_what_lies_behind_it(server: Terminal, running: RunningServer) -> None:
    running.operated.sites["mx.one.example"] = [Destination("smtp", "one.example")]
    found = server.json("queue", "list", "--site", "mx.one.example")["recipients"]
    assert [one["id"] for one in found] == ["1a", "2b"]
    assert server("queue", "hold", "--site", "mx.one.example", "--dry-run") == 0
    assert server.out == "2 recipients of 2 messages would be altered by hold\n"
    assert server("queue", "remove", "--site", "mx.nowhere.example") == 1
    assert server.json("queue")["messages"] == 3


def test_a_suspension_reaches_the_dispatcher(server: Terminal, running: RunningServer) -> None:
    assert server("queue", "suspend", "site", "mx.one.example") == 0
    assert running.operated.look_agains == [({"suspend site mx.one.example"}, False)]


def test_a_server_that_refuses_says_why(server: Terminal, running: RunningServer) -> None:
    async def refuse(*_: object) -> None:
        raise AssertionError("a bug")

    running.operated.write = refuse  # type: ignore[method-assign]
    assert server("queue", "fail", "1a") == 1
    assert server.err == "twisted-mail: the server failed at this: its log has more\n"


def test_when_the_server_ends_meanwhile_the_command_does_the_word_itself(
    server: Terminal, running: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "pause", lambda: finish(running.spool.close()))
    assert server("queue", "hold", "1a") == 0
    assert server.out == "2 recipients of 1 message are held\n"


def test_of_two_commands_at_once_the_second_waits_for_the_first(
    server: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server)
    first = QueueLock(str(queue_folder(server)))
    assert first.take()
    monkeypatch.setattr(speaking, "pause", first.release)
    assert server("queue", "hold", "1a") == 0
    assert server.json("queue")["held"] == 3


@pytest.mark.parametrize("act", ["hold", "fail"])
def test_whoever_is_interrupted_knows_that_the_word_is_kept(
    server: Terminal, running: RunningServer, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(speaking, "pause", interrupt)
    assert server("queue", act, "1a") == 1
    assert "interrupted; the word is kept, and is done all the same" in server.err


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    server: Terminal, running: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(speaking, "pause", lambda: None)
    assert server("queue", "hold", "1a") == 1
    assert "the server has not answered yet; the word is kept" in server.err


def test_an_answer_is_kept_with_its_word(server: Terminal, running: RunningServer) -> None:
    assert server("queue", "hold", "1a") == 0
    connection = apsw.Connection(str(queue_folder(server) / "queue.sqlite3"))
    [(word, result)] = connection.execute(
        "SELECT word, result FROM words WHERE done_at IS NOT NULL"
    ).fetchall()
    connection.close()
    assert '"act": "hold"' in word
    assert '"recipients": 2' in result


def test_on_a_full_disk_the_queue_is_shown_and_nobody_is_sent_to_repair_it(
    server: Terminal, running: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(speaking, "_write", full)
    assert server("queue") == 0
    assert "3 messages for 4 recipients" in server.out
    assert server("queue", "hold", "1a") == 1
    assert "there is no room on the disk" in server.err
    assert "repair" not in server.err

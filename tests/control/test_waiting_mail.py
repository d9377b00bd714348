"""twisted-mail waiting."""

from dataclasses import replace
from pathlib import Path

from tests.control.jobs import add_jobs
from tests.control.terminal import Terminal
from twisted_mail.queue.dead_letters import dead_folder
from twisted_mail.store.disk.files import DiskFiles


def test_mail_that_waits_is_listed(server: Terminal) -> None:
    assert server("waiting", "list") == 0
    assert server.out == "no mail waits\n"
    add_jobs(server)
    assert server("waiting", "list") == 0
    lines = server.out.splitlines()
    assert lines[1].split()[:5] == ["id2-1", "1970-01-01", "|ticket", "<>", "2"]
    assert "held" in lines[2]
    assert server.json("waiting", "list")["waiting"][0]["next"] == "1970-01-01T00:01:39+00:00"


def test_dead_letters_are_listed_and_removed(server: Terminal) -> None:
    assert server("waiting", "dead") == 0
    assert server.out == "there are no dead letters\n"
    queue = add_jobs(server)
    dead = dead_folder(queue, DiskFiles())
    dead.take(replace(queue.read_all()[0], reason="why"), queue)
    queue.remove("id2-1")
    assert server("waiting", "list") == 0
    assert "1 dead letter: see twisted-mail waiting dead" in server.out
    assert server("waiting", "dead") == 0
    assert server.out.splitlines()[1].split()[:4] == ["id2-1", "1970-01-01", "|ticket", "<>"]
    [letter] = server.json("waiting", "dead")["dead"]
    assert letter["reason"] == "why"
    assert Path(letter["file"]).read_bytes() == b"x\r\n"
    assert server("waiting", "remove", "id1-1") != 0
    assert server("waiting", "remove", "id2-1") == 0
    assert server.json("waiting", "list")["dead"] == 0


def test_mail_that_cannot_be_read_is_named(server: Terminal) -> None:
    queue = Path(add_jobs(server).path)
    (queue / "id1-1.json").write_text("{")
    (queue / "id2-1.mail").unlink()
    assert server("waiting", "list") == 1
    assert "no mail waits" in server.out
    [first, second] = server.json("waiting", "list")["unreadable"]
    assert "id1-1.json: JSONDecodeError" in first
    assert second.endswith("id2-1.mail: No such file or directory (ENOENT)")
    notes = server.json("check")["notes"]
    assert [note["text"] for note in notes if note["subject"] == "waiting"] == [first, second]


def test_a_time_beyond_all_calendars_is_shown_as_the_last(server: Terminal) -> None:
    queue = add_jobs(server)
    queue.update(replace(queue.read_all()[0], due=1e30))
    assert server("waiting", "list") == 0
    assert "9999-12-31" in server.out

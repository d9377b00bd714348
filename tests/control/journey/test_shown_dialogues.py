"""twisted-mail queue show: the dialogues of the last tries."""

from dataclasses import replace

from tests.control.queue.filled import FULL, NOW, fill, new_job, owed, queue_folder
from tests.control.terminal import Terminal
from tests.journey.kept import keep_dialogue
from twisted_mail.mail.address import parse
from twisted_mail.mail.queued.job import QueuedJob


def test_a_dialogue_is_shown_once_for_all_who_share_it(server: Terminal) -> None:
    said = keep_dialogue(
        queue_folder(server).parent / "journey", "4d", ("S", "220 mx"), ("S", "\x07")
    )
    last = replace(FULL, dialogue=said)
    lost = replace(FULL, dialogue="0" * 16)
    two = [owed(number, f"b{number}@one.example", tries=1, last=last) for number in (1, 2)]
    letter = QueuedJob("4d", NOW, parse("alice@example.org"), size=3)
    fill(server, new_job(letter, *two, owed(3, "c@one.example", tries=1, last=lost)))
    assert server("queue", "show", "4d") == 0
    assert server.out.count("dialogue with mx.example.net [192.0.2.1] from ") == 1
    assert "     0.000  S: 220 mx\n     1.500  S: \\x07\n" in server.out
    data = server.json("queue", "show", "4d")
    assert [one["id"] for one in data["dialogues"]] == [said]
    assert [one["last"]["dialogue"] for one in data["recipients"]] == [said, said, "0" * 16]

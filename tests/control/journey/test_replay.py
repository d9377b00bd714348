"""twisted-mail queue replay."""

from pathlib import Path

import pytest

from tests.control.terminal import Terminal
from tests.dialogues.client_player import play as play_file
from tests.dialogues.score import Dialogue, client_dialogues, read
from tests.dialogues.sent_mail import SentMail, in_words, settings, transactions
from tests.journey.kept import LETTER, NOON, keep, keep_dialogue
from tests.smtp.dialogue.hosts import MemoryHosts, MemoryServerLine
from twisted_mail.config import load
from twisted_mail.control.journey.dialogue_test import as_test
from twisted_mail.control.journey.kept_host import Difference
from twisted_mail.control.journey.kept_message import kept_message
from twisted_mail.control.journey.replaying import play, settings_for, without_reset
from twisted_mail.mail.journey.dialogue import Dialogue as Kept
from twisted_mail.mail.journey.dialogue import Side, SpokenLine
from twisted_mail.smtp.client import ClientSession
from twisted_mail.smtp.dialogue.settings import NextHop

OURS = "mail.example.org"
REFUSED: tuple[tuple[Side, str], ...] = (
    ("S", "220 mx ESMTP"),
    ("C", f"EHLO {OURS}"),
    ("S", "250-mx"),
    ("S", "250-SIZE 1000"),
    ("S", "250 PIPELINING"),
    ("C", "MAIL FROM:<alice@example.org> SIZE=77"),
    ("C", "RCPT TO:<bob@example.net>"),
    ("C", "DATA"),
    ("S", "250 Ok"),
    ("S", "450 4.2.0 Later"),
    ("S", "554 None"),
)


def spoken(*said: tuple[Side, str]) -> list[SpokenLine]:
    return [SpokenLine(0.0, side, text) for side, text in said]


def differs(*said: tuple[Side, str]) -> Difference | None:
    lines = spoken(*said)
    return play(lines, settings_for(lines, OURS), kept_message(lines)).difference


def played(dialogue: Dialogue) -> tuple[MemoryHosts, SentMail, list[str]]:
    """Play a file of the tests, and return what was kept of it and how it ended."""
    from twisted.internet.defer import Deferred

    hosts, supply = MemoryHosts(), SentMail(transactions(dialogue))
    hosts.keeps_all = True
    ended: list[str] = []

    async def send() -> None:
        found = await hosts.client.connect(NextHop("mx", "192.0.2.25"), settings(dialogue))
        end = await found.hand_on(supply) if isinstance(found, ClientSession) else found
        ended.extend([] if end is None else [in_words(end)])
        if isinstance(found, ClientSession):
            found.close()

    Deferred.fromCoroutine(send())
    play_file(dialogue, lambda number: MemoryServerLine(hosts, number))
    return hosts, supply, ended


# ---------------------------------------------------------------- playing


def test_the_same_client_says_the_same() -> None:
    lines = spoken(*REFUSED)
    found = play(lines, settings_for(lines, OURS), kept_message(lines))
    assert found.difference is None
    [attempt] = found.attempts.values()
    assert (attempt.outcome.code, attempt.outcome.text) == (450, "Later")


def test_the_first_line_that_differs_is_found() -> None:
    changed = list(REFUSED)
    changed[6] = ("C", "RCPT TO:<bob@example.net> NOTIFY=NEVER")
    assert differs(*changed) == Difference(
        7, "RCPT TO:<bob@example.net> NOTIFY=NEVER", "RCPT TO:<bob@example.net>"
    )


def test_what_is_not_said_any_more_is_found() -> None:
    more = (*REFUSED[:1], ("C", "NOOP"), ("S", "250 Ok"), *REFUSED[1:])
    assert differs(*more) == Difference(2, "NOOP", f"EHLO {OURS}")
    assert differs(*REFUSED, ("C", "RSET")) == Difference(12, "RSET", "")


def test_what_is_said_besides_is_found() -> None:
    assert differs(*REFUSED[:7], *REFUSED[8:]) == Difference(8, "(250 Ok)", "DATA")


def test_the_reset_of_the_message_before_is_left_out() -> None:
    later = (*REFUSED[:5], ("C", "RSET"), *REFUSED[5:8], ("S", "250 Reset"), *REFUSED[8:])
    lines = without_reset(spoken(*later))
    assert [(one.side, one.text) for one in lines] == list(REFUSED)


# Those of one message over one connection, with settings as the command finds them.
WHOLE = [
    one
    for one in client_dialogues()
    if len(one.sent) == 1 and not one.settings and "C2:" not in one.path.read_text()
]


@pytest.mark.parametrize("dialogue", WHOLE, ids=lambda one: one.path.stem)
def test_what_is_kept_of_a_dialogue_of_the_tests_is_played_alike(dialogue: Dialogue) -> None:
    hosts, supply, _ = played(dialogue)
    kept = hosts.dialogues[0]
    lines = without_reset(kept.lines)
    found = play(lines, settings_for(lines, OURS), transactions(dialogue)[0])
    assert found.difference is None
    was_said = not any(one.side == "S" and one.text.startswith("(") for one in lines)
    if was_said and kept.use:
        then = [in_words(one) for _, _, one in supply.attempts]
        assert [in_words(one) for one in found.attempts.values()] == then[: len(found.attempts)]


# ---------------------------------------------------------------- as a test


@pytest.mark.parametrize(
    "said",
    [
        REFUSED,
        (
            *REFUSED[:9],
            ("S", "250 Ok"),
            ("S", "354 Go"),
            ("C", "(77 octets of content)"),
            ("S", "554 No"),
        ),
        (*REFUSED[:9], ("S", "(The connection was lost before the answer came)")),
        (("S", "554 5.7.1 Not you"),),
        (*REFUSED[:9], ("S", "421 4.3.0 Going")),
    ],
    ids=["refused", "content", "lost", "greeting", "closing"],
)
def test_the_printed_file_is_a_dialogue_that_passes(
    tmp_path: Path, said: tuple[tuple[Side, str], ...]
) -> None:
    kept = Kept("1a", "2b", NOON, "mx.example.net", "192.0.2.1", "", "", 1, tuple(spoken(*said)))
    text = as_test(kept, OURS, play, settings_for)
    (tmp_path / "client-kept.txt").write_text(text)
    dialogue = read(tmp_path / "client-kept.txt")
    _, supply, ended = played(dialogue)
    assert supply.results == dialogue.results
    assert ended == ([dialogue.headings["ends"]] if "ends" in dialogue.headings else [])


# ---------------------------------------------------------------- the command


def test_the_command_finds_the_last_dialogue_of_a_message(server: Terminal) -> None:
    folder = next(server.folder.rglob("accounts.sqlite3")).parent / "journey"
    ours = load(server.folder / "mail.toml").hostname
    said = [(side, text.replace(OURS, ours)) for side, text in REFUSED]
    id = keep_dialogue(folder, LETTER, *said)
    keep(folder, [(NOON, "deferred", {"id": LETTER, "to": "b@c.example", "dialogue": id})])
    for asked in (LETTER, id):
        assert server("queue", "replay", asked) == 0
        assert server.out.endswith(
            "with mx.example.net: the present client says the same, 11 lines\n"
        )
        assert server.json("queue", "replay", asked)["dialogue"] == id
    assert server("queue", "replay", LETTER, "--as-test") == 0
    assert server.out.startswith("# What mx.example.net said\n")
    said[6] = ("C", "RCPT TO:<bob@example.net> X=1")
    other = keep_dialogue(folder, LETTER, *said, began=NOON + 1)
    assert server("queue", "replay", other) == 1
    assert (
        "  kept: RCPT TO:<bob@example.net> X=1\n  now:  RCPT TO:<bob@example.net>\n" in server.out
    )
    assert server("queue", "replay", "0" * 16) == 1
    assert "no dialogue of 0000000000000000 is kept" in server.err


def test_a_message_that_is_too_large_is_not_made_up(server: Terminal) -> None:
    folder = next(server.folder.rglob("accounts.sqlite3")).parent / "journey"
    large = [(side, text.replace("SIZE=77", "SIZE=99999999999")) for side, text in REFUSED]
    id = keep_dialogue(folder, LETTER, *large)
    assert server("queue", "replay", id) == 1
    assert "is too large to be made up" in server.err

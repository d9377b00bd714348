"""twisted-mail queue, with the server stopped."""

import re
from pathlib import Path

import apsw
import pytest

from tests.control.queue.filled import (
    ALICE,
    CAROL,
    NOW,
    fill,
    new_job,
    opened_spool,
    owed,
    queue_folder,
)
from tests.control.terminal import Terminal
from twisted_mail.control.queue import opened
from twisted_mail.interfaces import SiteRecord
from twisted_mail.mail.address import parse
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.queue.words import queries
from twisted_mail.testing.doubles import finish

ALTERING = ("retry", "hold", "release", "remove", "fail")


@pytest.fixture
def filled(server: Terminal) -> Terminal:
    fill(server)
    return server


def contents(server: Terminal) -> list[tuple]:
    """Return all that the queue owes, as it is in the database."""
    connection = apsw.Connection(str(queue_folder(server) / "queue.sqlite3"))
    rows = connection.execute(
        "SELECT j.id, r.number, r.state, r.due, r.recipient FROM recipients r"
        " JOIN jobs j ON j.row = r.job ORDER BY j.id, r.number"
    ).fetchall()
    connection.close()
    return rows


def owes(server: Terminal) -> list[str]:
    return [f"{id}/{number}" for id, number, *_ in contents(server)]


def listed(server: Terminal, *words: str) -> list[str]:
    found = server.json("queue", "list", *words)["recipients"]
    return [f"{one['id']}/{one['number']}" for one in found]


# ---------------------------------------------------------------- looking


def test_the_screen_has_how_much_where_to_and_why(filled: Terminal) -> None:
    assert filled("queue") == 0
    assert "3 messages for 4 recipients at 3 destinations, the oldest since 2 h" in filled.out
    assert "the server does NOT run" in filled.out
    assert "2 due now, 1 later, 1 held" in filled.out
    [one] = [line for line in filled.out.splitlines() if line.startswith("smtp:one.example")]
    assert re.split(r"\s{2,}", one)[1:4] == ["2", "1", "0"]
    assert one.endswith("452 4.2.2 Mailbox full")
    assert re.search(r"mx\.two\.example +in (30|29) min.* +3 +451 4\.4\.1 No answer", filled.out)
    data = filled.json("queue")
    assert (data["messages"], data["waiting"], data["held"], data["is_served"]) == (3, 3, 1, False)


def test_what_is_damaged_is_counted_and_named_with_its_message(filled: Terminal) -> None:
    connection = apsw.Connection(str(queue_folder(filled) / "queue.sqlite3"))
    connection.execute("UPDATE recipients SET state = 2, recipient = zeroblob(9) WHERE number = 2")
    connection.close()
    assert filled("queue") == 0
    assert "1 DAMAGED, and never sent: queue list --state damaged" in filled.out
    assert filled("queue", "show", "1a") == 0
    assert "damaged     recipients 2: held, and never sent" in filled.out


def test_what_is_damaged_is_listed_and_can_be_removed(filled: Terminal) -> None:
    connection = apsw.Connection(str(queue_folder(filled) / "queue.sqlite3"))
    connection.execute("UPDATE recipients SET state = 2 WHERE address LIKE '%one.example'")
    connection.execute("UPDATE jobs SET envelope = zeroblob(9) WHERE id = '2b'")
    connection.close()
    assert filled("queue", "list") == 0
    lines = [line.split() for line in filled.out.splitlines()[1:]]
    assert [line[0] for line in lines] == ["1a/2", "3c/1", "1a/1", "2b/1"]
    assert "damaged" in lines[-1]
    data = filled.json("queue", "list", "--state", "damaged")
    assert data["recipients"] == []
    assert [one["id"] for one in data["damaged"]] == ["1a", "2b"]
    assert filled("queue", "show", "1a/1") == 0
    assert "damaged     recipients 1: held, and never sent" in filled.out
    assert filled("queue", "remove", "--from", "<>") == 1
    assert filled("queue", "remove", "2b", "--dry-run") == 0
    assert "1 recipient of 1 message would be altered" in filled.out
    assert filled("queue", "remove", "2b") == 0
    assert "1 recipient of 1 message is removed" in filled.out
    assert filled("queue", "remove", "--state", "damaged") == 0
    assert filled("queue", "list") == 0
    assert [line.split()[0] for line in filled.out.splitlines()[1:]] == ["1a/2", "3c/1"]


def test_an_empty_queue_is_said_to_be_so(server: Terminal) -> None:
    fill(server)
    assert server("queue", "remove", "--all") == 0
    assert server("queue") == 0
    assert server.out.startswith("the queue is empty")


def test_the_list_has_each_recipient_and_why(filled: Terminal) -> None:
    assert filled("queue", "list") == 0
    lines = filled.out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1a/1", "1a/2", "2b/1", "3c/1"]
    assert "452 4.2.2 Mailbox full" in lines[1]
    assert "<>" in lines[3]
    assert "held" in lines[4]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("1a",), ["1a/1", "1a/2"]),
        (("1a/2", "3c"), ["1a/2", "3c/1"]),
        (("--to", "BOB@one.example"), ["1a/1"]),
        (("--to", "carol@example.org"), ["1a/1"]),  # as it was written
        (("--to", "*@one.example"), ["1a/1", "2b/1"]),
        (("--from", ALICE), ["1a/1", "1a/2"]),
        (("--from", "<>"), ["2b/1"]),
        (("--from", "*@example.org", "--domain", "three.example"), ["3c/1"]),
        (("--domain", "ONE.example."), ["1a/1", "2b/1"]),
        (("--domain", "smtp:two.example"), ["1a/2"]),
        (("--account", "Alice@example.org"), ["1a/1", "1a/2"]),
        (("--older", "90m"), ["1a/1", "1a/2"]),
        (("--older", "1h30m1s", "--domain", "one.example"), ["1a/1"]),
        (("--reason", "full"), ["1a/1"]),
        (("--reason", "mailbox FULL"), ["1a/1"]),
        (("--reason", "4.2.2"), ["1a/1"]),
        (("--reason", "operator"), ["3c/1"]),
        (("--state", "held"), ["3c/1"]),
        (("--state", "deferred"), ["1a/1"]),
        (("--state", "waiting"), ["1a/1", "1a/2", "2b/1"]),
        (("--to", "nobody@one.example"), []),
        (("--to", "%"), None),
    ],
)
def test_filters_select(filled: Terminal, filters: tuple[str, ...], found: list[str]) -> None:
    if found is None:
        assert filled("queue", "list", *filters) == 2
    else:
        assert listed(filled, *filters) == found


def test_the_list_comes_in_pages(filled: Terminal) -> None:
    assert filled("queue", "list", "--limit", "3") == 0
    [after] = re.findall(r"there are more: --after (\d+)", filled.out)
    assert listed(filled, "--limit", "3", "--after", after) == ["3c/1"]
    assert filled("queue", "list", "--limit", "0") == 2


def test_a_message_is_shown_with_all_that_is_known(filled: Terminal) -> None:
    assert filled("queue", "show", "1a") == 0
    for text in (
        "from        <alice@example.org> (account alice@example.org)",
        "message-id  <x@y>",
        "recipient 1a/1: <bob@one.example>",
        "written as  <carol@example.org>",
        "leads to    smtp:one.example",
        "state       waiting, tried 2 times",
        "waits for   its time:",
        "waits for   the server, which does not run",
        "452 4.2.2 Mailbox full",
        "in answer to RCPT TO:<bob@one.example>, by mx.one.example [192.0.2.1], TLSv1.3/",
        "class full",
        "connect 0.25 s (0.25 s in all)",
        "next try    due at once",
        "recipient 1a/2: <dave@two.example>",
        "not tried yet",
    ):
        assert text in filled.out
    data = filled.json("queue", "show", "1a")
    kinds = [one["kind"] for one in data["recipients"][0]["waits_for"]]
    assert kinds == ["time", "server"]
    assert data["recipients"][0]["last"]["command"] == "RCPT TO:<bob@one.example>"


def test_one_recipient_is_shown_alone(filled: Terminal) -> None:
    assert filled("queue", "show", "1a/2") == 0
    assert "dave@two.example" in filled.out
    assert "bob@one.example" not in filled.out


def test_what_is_held_waits_for_a_word(filled: Terminal) -> None:
    assert filled("queue", "show", "3c") == 0
    assert "waits for   a word (held by the operator)" in filled.out


@pytest.mark.parametrize("id", ["9z", "1a/7"])
def test_what_is_not_there_is_said_in_one_line(filled: Terminal, id: str) -> None:
    assert filled("queue", "show", id) == 1
    assert filled.err.count("\n") == 1
    assert f"nothing in the queue is {id}" in filled.err


# ---------------------------------------------------------------- altering


def test_retry_makes_what_waits_due(filled: Terminal) -> None:
    assert filled("queue", "retry", "1a") == 0
    assert filled.out == "2 recipients of 1 message are tried now\n"
    assert listed(filled, "--state", "waiting") == ["1a/1", "1a/2", "2b/1"]
    assert filled.json("queue")["due"] == 3


def test_hold_and_release(filled: Terminal) -> None:
    assert filled("queue", "hold", "--domain", "one.example") == 0
    assert filled.out == "2 recipients of 2 messages are held\n"
    assert listed(filled, "--state", "held") == ["1a/1", "2b/1", "3c/1"]
    assert filled("queue", "release", "--all") == 0
    assert listed(filled, "--state", "held") == []


def test_remove_takes_a_message_along_with_its_last_recipient(filled: Terminal) -> None:
    assert filled("queue", "remove", "1a/1") == 0
    assert filled.out == "1 recipient of 1 message is removed, without a report\n"
    assert owes(filled) == ["1a/2", "2b/1", "3c/1"]
    assert filled("queue", "remove", "1a") == 0
    assert filled.json("queue")["messages"] == 2


def test_fail_waits_for_the_server_which_writes_the_reports(filled: Terminal) -> None:
    before = contents(filled)
    assert filled("queue", "fail", "1a") == 0
    assert "the server does not run: this is done, and reported, when it starts" in filled.out
    assert contents(filled) == before
    connection = apsw.Connection(str(queue_folder(filled) / "queue.sqlite3"))
    rows = connection.execute("SELECT word FROM words WHERE done_at IS NULL").fetchall()
    connection.close()
    assert [word for (word,) in rows if '"fail"' in word]


@pytest.mark.parametrize("act", ALTERING)
def test_nothing_is_altered_without_saying_what(filled: Terminal, act: str) -> None:
    before = contents(filled)
    assert filled("queue", act) == 2
    assert filled.err == (
        f"twisted-mail: queue {act} needs an id, a filter or --all: nothing is altered\n"
    )
    assert filled("queue", act, "1a", "--all") == 2
    assert contents(filled) == before


def test_a_list_says_why_it_is_empty(filled: Terminal) -> None:
    assert filled("queue", "list", "--domain", "nobody.example") == 0
    assert filled.out == "nothing that waits fits the filters\n"
    assert filled("queue", "list", "9z") == 1
    assert filled.err == "twisted-mail: nothing in the queue is 9z\n"


def test_a_suspension_for_no_time_at_all_is_a_mistake(filled: Terminal) -> None:
    assert filled("queue", "suspend", "site", "mx.one.example", "--for", "0s") == 2
    assert "--for 0s: that is over at once" in filled.err


@pytest.mark.parametrize("act", ALTERING)
def test_a_dry_run_alters_nothing(filled: Terminal, act: str) -> None:
    before = contents(filled)
    assert filled("queue", act, "--all", "--dry-run") == 0
    assert "would be altered" in filled.out
    assert contents(filled) == before


@pytest.mark.parametrize("act", ALTERING)
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("9z",), 1, "nothing in the queue is 9z"),
        (("1a", "9z", "8y"), 1, "nothing in the queue is 9z, 8y"),
        (("1a/9",), 1, "nothing in the queue is 1a/9"),
        (("a b",), 2, "is no id"),
        (("--older", "soon"), 2, "--older soon: write 90s, 30m, 2h, 3d or 1w"),
        (("--to", "nobody"), 2, "for a whole domain: *@nobody"),
        (("--from", ""), 2, "--from is empty"),
        (("--domain", "a..b"), 2, "--domain a..b"),
        (("--domain", "smtp:"), 2, "--domain smtp:"),
        (("--site", "mx.one.example"), 1, "use --domain"),
        (("--state", "dead"), 2, "invalid choice"),
    ],
)
def test_a_wrong_filter_is_one_line_and_alters_nothing(
    filled: Terminal, act: str, words: tuple[str, ...], code: int, says: str
) -> None:
    before = contents(filled)
    assert filled("queue", act, *words) == code
    assert says in filled.err
    assert filled.err.count("\n") == 1
    assert contents(filled) == before


def test_a_word_that_finds_nothing_to_do_says_so(filled: Terminal) -> None:
    assert filled("queue", "hold", "3c") == 1
    assert "1 recipient passed over: held already" in filled.out


def test_thousands_of_recipients_are_altered_in_pages(server: Terminal) -> None:
    many = [owed(number, f"u{number}@big.example") for number in range(1, 1201)]
    fill(server, new_job(QueuedJob("4d", NOW, parse(ALICE)), *many))
    assert server("queue", "hold", "--domain", "big.example") == 0
    assert server.out == "1200 recipients of 1 message are held\n"
    assert server.json("queue")["held"] == 1201


def test_what_is_done_is_in_the_mail_log(filled: Terminal) -> None:
    (filled.folder / "mail.toml.d" / "log.toml").write_text('[log]\nfile = "mail.log"\n')
    assert filled("queue", "remove", "2b") == 0
    lines = (queue_folder(filled).parent / "mail.log").read_text().splitlines()
    assert len(lines) == 2
    assert " 2b: removed to=<erin@one.example> destination=smtp:one.example by=" in lines[0]
    assert " word act=remove by=" in lines[1]


# ---------------------------------------------------------------- suspending


def test_a_suspension_is_shown_until_it_is_resumed(filled: Terminal) -> None:
    assert filled("queue", "suspend", "domain", "ONE.example", "--for", "2h") == 0
    assert "domain one.example is suspended until" in filled.out
    assert filled("queue") == 0
    assert re.search(r"domain +one\.example +20\d\d-.*, in 2 h", filled.out)
    assert filled("queue", "show", "1a/1") == 0
    assert "waits for   a word: domain one.example is suspended until" in filled.out
    assert filled("queue", "resume", "domain", "one.example") == 0
    assert filled.json("queue")["suspended"] == []
    assert filled("queue", "resume", "domain", "one.example") == 1
    assert filled.out == "domain one.example is not suspended\n"


@pytest.mark.parametrize(
    ("kind", "name", "kept"),
    [
        ("sender", "Alice@example.org", "alice@example.org"),
        ("sender", "@Example.ORG", "@example.org"),
        ("account", "Alice@example.org", "alice@example.org"),
        ("site", "MX.two.example", "mx.two.example"),
    ],
)
def test_names_are_kept_in_one_spelling(filled: Terminal, kind: str, name: str, kept: str) -> None:
    assert filled("queue", "suspend", kind, name) == 0
    [one] = filled.json("queue")["suspended"]
    assert (one["kind"], one["name"], one["until"]) == (kind, kept, None)


@pytest.mark.parametrize(
    "words",
    [
        ("moon", "x"),
        ("domain", "a..b"),
        ("sender", "nobody"),
        ("domain", "x.example", "--for", "ever"),
    ],
)
def test_what_cannot_be_suspended_is_refused(filled: Terminal, words: tuple[str, ...]) -> None:
    assert filled("queue", "suspend", *words) == 2
    assert filled.err.count("\n") == 1
    assert filled.json("queue")["suspended"] == []


def test_what_is_suspended_for_a_sender_is_due_when_it_is_resumed(filled: Terminal) -> None:
    assert filled("queue", "suspend", "sender", ALICE) == 0
    assert filled("queue", "resume", "sender", ALICE) == 0
    assert filled.json("queue")["due"] == 3


# ---------------------------------------------------------------- other queues


@pytest.mark.parametrize("words", [(), ("list",), ("show", "1a"), ("remove", "--all")])
def test_without_a_queue_there_is_one_line(server: Terminal, words: tuple[str, ...]) -> None:
    assert server("queue", *words) == 1
    assert server.err.startswith("twisted-mail: there is no queue at ")
    assert not queue_folder(server).exists()


def test_a_queue_that_cannot_be_looked_at_is_not_called_missing(server: Terminal) -> None:
    queue_folder(server).write_text("no folder")
    assert server("queue", "list") == 1
    assert server.err.endswith("queue.sqlite3: Not a directory\n")


@pytest.mark.parametrize("words", [(), ("list",), ("hold", "--all")])
def test_a_queue_of_a_newer_version_is_left_as_it_is(
    filled: Terminal, words: tuple[str, ...]
) -> None:
    path = queue_folder(filled) / "queue.sqlite3"
    set_version(path, 99)
    before = path.read_bytes()
    assert filled("queue", *words) == 1
    assert "has version 99" in filled.err
    assert filled.err.count("\n") == 1
    assert path.read_bytes() == before


def set_version(path: Path, version: int) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", version)
    connection.pragma("wal_checkpoint", "TRUNCATE")
    connection.close()


def test_what_is_no_database_is_one_line(filled: Terminal) -> None:
    for path in queue_folder(filled).glob("queue.sqlite3*"):
        path.write_bytes(b"no database" * 1000)
    assert filled("queue", "list") == 1
    assert "queue repair" in filled.err
    assert filled.err.count("\n") == 1


# ---------------------------------------------------------------- what makes no sense

NOT_UTF8 = "a\udcff"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("list", "--after", "-1"), "--after is a place that queue list has named"),
        (("list", "--after", "9" * 30), "--after is a place"),
        (("list", NOT_UTF8), "'a\\udcff' is no id of a message"),
        (("list", "x" * 300), f"'{'x' * 40}...' is no id"),
        (("list", "1a/1/2"), "'1a/1/2' is no id"),
        (("list", "--to", f"*{NOT_UTF8}"), "--to '*a\\udcff' has signs that cannot be shown"),
        (("list", "--from", "a\0*"), "--from 'a\\x00*' has signs"),
        (("list", "--from", "%" * 60_000 + "*"), "--from has more than 1000 characters"),
        (("list", "--account", NOT_UTF8), "--account 'a\\udcff' has signs"),
        (("list", "--domain", f"program:{NOT_UTF8}"), "--domain 'program:a\\udcff' has signs"),
        (("list", "--domain", ""), "--domain is empty"),
        (("list", "--reason", NOT_UTF8), "--reason 'a\\udcff' has signs"),
        (("hold", "--reason", "x" * 2_000_000), "--reason has more than 1000 characters"),
        (("list", "--site", NOT_UTF8), "--site 'a\\udcff' has signs"),
        (("show", ""), "'' is no id"),
        (("show", NOT_UTF8), "'a\\udcff' is no id"),
        (("show", "../../etc"), "'../../etc' is no id"),
        (("show", "1a/"), "'1a/' is no id"),
        (("suspend", "site", ""), "the name of the site is empty"),
        (("suspend", "site", "x" * 2000), "the name of the site has more than 1000 characters"),
        (("suspend", "account", NOT_UTF8), "the name of the account 'a\\udcff' has signs"),
        (("suspend", "sender", f"{NOT_UTF8}@example.org"), "the name of the sender"),
        (("resume", "domain", ""), "the name of the domain is empty"),
    ],
)
def test_whatever_is_typed_the_answer_is_one_line(
    filled: Terminal, words: tuple[str, ...], says: str
) -> None:
    before = contents(filled)
    assert filled("queue", *words) == 2
    assert says in filled.err
    assert filled.err.count("\n") == 1
    assert len(filled.err) < 200
    assert contents(filled) == before


def test_a_recipient_is_found_by_its_number_however_that_is_written(filled: Terminal) -> None:
    assert listed(filled, "1a/02") == ["1a/2"]
    assert filled("queue", "show", "1a/02") == 0
    assert filled("queue", "hold", "1a/02", "--dry-run") == 0
    assert filled.out.startswith("1 recipient of 1 message")


def test_an_error_that_is_no_damage_sends_nobody_to_repair_it(filled: Terminal) -> None:
    texts = {
        apsw.BusyError: "another program keeps the queue",
        apsw.ReadOnlyError: "cannot be written: as told; nothing is altered",
        apsw.IOError: "cannot be read: as told",
    }
    for error, text in texts.items():
        found = opened._damaged("/queue", error("as told"))
        assert text in found
        assert "repair" not in found
    assert "queue repair" in opened._damaged("/queue", apsw.CorruptError("as told"))


# ---------------------------------------------------------------- names that nothing has


def test_an_account_that_there_is_not_cannot_be_suspended(filled: Terminal) -> None:
    assert filled("queue", "suspend", "account", "foo@example.org") == 1
    assert "there is no account foo@example.org, and no mail of it waits" in filled.err
    assert filled.err.count("\n") == 1
    assert filled.json("queue")["suspended"] == []
    assert filled("queue", "suspend", "account", CAROL) == 0  # removed, and its mail waits
    assert filled("queue", "resume", "account", "foo@example.org") == 1


def test_a_site_that_nobody_knows_is_suspended_with_a_remark(filled: Terminal) -> None:
    assert filled("queue", "suspend", "site", "mx.nowhere.example") == 0
    assert "no site mx.nowhere.example is known now; twisted-mail queue explain" in filled.out
    assert filled("queue", "suspend", "site", "smtp:mx.two.example") == 0
    assert filled.out.startswith("site mx.two.example is suspended until it is resumed")
    assert "known" not in filled.out


# ---------------------------------------------------------------- why


def test_the_screen_says_that_a_sender_is_suspended(filled: Terminal) -> None:
    assert filled("queue", "suspend", "sender", ALICE) == 0
    assert filled("queue") == 0
    rows = {line.split()[0]: line for line in filled.out.splitlines() if line.startswith("smtp:")}
    assert rows["smtp:two.example"].endswith(f"sender {ALICE} is suspended")
    assert rows["smtp:three.example"].endswith("held by the operator")


def test_what_a_word_lets_go_on_has_who_gave_it_in_the_log(
    filled: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    (filled.folder / "mail.toml.d" / "log.toml").write_text('[log]\nfile = "mail.log"\n')
    monkeypatch.setattr("getpass.getuser", lambda: "eve")
    assert filled("queue", "suspend", "sender", ALICE) == 0
    assert filled("queue", "resume", "sender", ALICE) == 0
    lines = (queue_folder(filled).parent / "mail.log").read_text().splitlines()
    assert [line for line in lines if " 1a: retried " in line and line.endswith(" by=eve")]
    assert not [line for line in lines if "by=operator" in line]


def test_sites_that_no_mail_goes_to_any_more_are_not_shown(filled: Terminal) -> None:
    spool = opened_spool(filled)
    for name in ("smtp:relay.example:587", "smtp:mx.one.example", "program:tickets"):
        finish(spool.save_site(SiteRecord(name, NOW + 1800, 1)))
    finish(spool.close())

    def resting() -> list[str]:
        return [one["site"] for one in filled.json("queue")["resting"]]

    assert resting() == ["mx.two.example", "program:tickets", "mx.one.example"]
    drop_in = filled.folder / "mail.toml.d" / "relay.toml"
    drop_in.write_text('[sending]\nrelay = "smtp://relay.example"\n')
    assert resting() == ["program:tickets", "relay.example:587"]


def test_words_that_wait_for_the_server_are_in_no_others_way(
    filled: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_WORDS", 2)
    for _ in range(3):
        assert filled("queue", "fail", "1a") == 0
    assert filled("queue", "hold", "2b") == 0
    assert filled.out == "1 recipient of 1 message is held\n"

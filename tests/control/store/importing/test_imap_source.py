from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import StoreCommand
from tests.control.store.importing.scripted_imap import Mail, ScriptedImap, import_from
from twisted_mail.control.store.importing import batch, imap_client, imap_source

Import = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


@pytest.fixture
def bring(store: StoreCommand, monkeypatch: pytest.MonkeyPatch) -> Import:
    return lambda server, *words: import_from(server, store, monkeypatch, *words)


def four() -> list[Mail]:
    return [Mail(uid, b"Subject: %d\r\n\r\ntext\r\n" % uid) for uid in (1, 2, 7, 4294967290)]


def skipped(answer: Any) -> str:
    return "\n".join(f"{each['where']}: {each['why']}" for each in answer["skipped"])


# ---------------------------------------------------------------- which messages there are


@pytest.mark.parametrize(
    "answer",
    [
        b"* SEARCH 1 2\r\n* SEARCH 7 4294967290\r\n",
        b"* SEARCH 1 2 7 4294967290 (MODSEQ 917162500)\r\n",
        b'* ESEARCH (TAG "t") UID ALL 1:2,7,4294967290\r\n',
        b"* SEARCH 7 1\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* SEARCH\r\n* SEARCH 4294967290 2 2\r\n",
        b"* SEARCH 1 2\r\n",  # the others are found by FETCH
        b"* SEARCH\r\n",
        b"",
    ],
)
def test_every_message_comes_whatever_shape_the_list_has(
    store: StoreCommand, bring: Import, answer: bytes
) -> None:
    server = ScriptedImap({b"INBOX": four()}, answers={b"UID SEARCH ALL": answer})
    answered = bring(server, "--into", "Old")
    assert (answered["imported"], answered["code"]) == (4, 0), answered
    assert [each.data[9:11].strip() for each in store.look(mailbox="Old")] == [
        b"1",
        b"2",
        b"7",
        b"42",
    ]
    assert bring(server, "--into", "Old")["imported"] == 0


def test_a_count_that_is_not_reached_is_told(bring: Import) -> None:
    server = ScriptedImap({b"INBOX": four()})
    usual = server._usual
    server.answers[b"EXAMINE"] = lambda command: usual(command).replace(b"* 4", b"* 6")
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (4, 1)
    assert "INBOX: the server counts 6 messages and lists 4" in skipped(answer)


def test_a_range_that_is_a_lie_costs_nothing(bring: Import) -> None:
    told = b'* ESEARCH (TAG "t") UID ALL 1:4294967295\r\n'
    answer = bring(ScriptedImap({b"INBOX": four()}, answers={b"UID SEARCH ALL": told}))
    assert (answer["imported"], answer["code"]) == (0, 1)
    assert "1 to 4294967295" in skipped(answer)


def test_what_is_gone_when_it_is_described_or_sent_is_skipped_by_name(bring: Import) -> None:
    server = ScriptedImap({b"INBOX": four()})
    usual = server._fetched

    def fetched(command: bytes) -> bytes:
        found = usual(command)
        if b"BODY" in command:
            return found if b"UID 7 " not in found else found[: found.index(b"* 3")]
        return found.replace(server.mailboxes[b"INBOX"][1].about(2), b"")

    server.answers[b"UID FETCH"] = fetched
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (2, 1)
    assert "INBOX, UID 2: the server listed it" in skipped(answer)
    assert "INBOX, UID 7: the server has it not" in skipped(answer)


def test_new_messages_and_expunged_ones_between_are_counted(bring: Import) -> None:
    said = b"* 5 EXISTS\r\n* 1 EXPUNGE\r\n* SEARCH 2 7 4294967290 4294967291\r\n"
    mails = [*four(), Mail(4294967291)]
    server = ScriptedImap({b"INBOX": mails}, answers={b"UID SEARCH ALL": said})
    usual = server._usual
    server.answers[b"EXAMINE"] = lambda command: usual(command).replace(b"* 5", b"* 4")
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (4, 0), answer


def test_a_message_that_the_server_refuses_to_describe_does_not_hide_the_others(
    bring: Import,
) -> None:
    server = ScriptedImap({b"INBOX": four()})
    usual = server._fetched

    def fetched(command: bytes) -> bytes:
        return (
            b"{tag} NO it is damaged\r\n"
            if b" 7" in command or b",7" in command
            else usual(command)
        )

    server.answers[b"UID FETCH"] = fetched
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (3, 1)
    assert skipped(answer) == "INBOX, UID 7: it is damaged"


# ---------------------------------------------------------------- mailboxes


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"raw\xc3\xbc", "rawü"),
        (b"raw\xfc", "rawü"),
        (b"raw&APw-", "rawü"),
        (b"a&b", "a&b"),
        (b'with \\\\ and \\"', 'with \\ and "'),
    ],
)
def test_a_mailbox_is_opened_by_the_octets_it_was_listed_with(
    store: StoreCommand, bring: Import, raw: bytes, name: str
) -> None:
    server = ScriptedImap({b"INBOX": [Mail(1)], raw: [Mail(1), Mail(2)]})
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (3, 0), answer
    assert len(store.look(mailbox=name)) == 2
    assert b'EXAMINE "' + raw + b'"' in server.asked


def test_mailboxes_that_cannot_be_had_are_skipped_by_name(
    store: StoreCommand, bring: Import
) -> None:
    lines = b'* LIST () "/" INBOX\r\n* LIST () "/" closed\r\n* LIST (\\Noselect) "/" only\r\n'
    lines += b'* LIST () "/" {5}\r\na\r\nbc\r\n* LIST what\r\n* LIST () "/" "&AOQ-"\r\n'
    lines += b'* LIST () "/" "\xc3\xa4"\r\n* LIST () NIL {5}\r\nliter\r\n'
    server = ScriptedImap({b"INBOX": [Mail(1)], b"&AOQ-": [Mail(1)], b"liter": [Mail(1)]})
    server.answers = {b"LIST": lines, b'EXAMINE "closed"': b"{tag} NO not for you\r\n"}
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (3, 1)
    told = skipped(answer)
    assert "closed: not for you" in told
    assert "a__bc: its name has line ends" in told
    assert "its name cannot be read: b'what'" in told
    assert "its name would be ä a second time" in told
    assert "only" not in told
    assert len(store.look(mailbox="liter")) == 1


def test_the_prefix_of_the_own_namespace_is_asked_for_and_taken_off(
    store: StoreCommand, bring: Import
) -> None:
    server = ScriptedImap(
        {b"INBOX": [Mail(1)], b"INBOX.Old.2024": [Mail(1)], b"INBOX.a/b": [Mail(1)]},
        b"IMAP4rev1 NAMESPACE",
        b".",
        {b"NAMESPACE": b'* NAMESPACE (("INBOX." ".")) NIL (("shared." "."))\r\n'},
    )
    assert bring(server)["code"] == 0
    assert {"INBOX", "Old/2024", "a_b"} <= {*store.names()}
    assert "Old/2024" in store.subscribed()


def test_other_separators_become_levels(store: StoreCommand, bring: Import) -> None:
    server = ScriptedImap({b"INBOX": [], b"a\\\\b": [Mail(1)]}, delimiter=b"\\\\")
    assert bring(server)["code"] == 0
    assert "a/b" in store.names()


def test_without_lsub_subscriptions_are_listed(store: StoreCommand, bring: Import) -> None:
    server = ScriptedImap({b"INBOX": [], b"a": [Mail(1)], b"b": [Mail(1)]}, b"IMAP4rev2")
    server.answers = {
        b"LSUB": b"{tag} BAD unknown command\r\n",
        b"LIST (SUBSCRIBED)": b'* LIST (\\Subscribed) "/" b\r\n',
    }
    answer = bring(server)
    assert (answer["imported"], answer["code"], answer["remarks"]) == (2, 0, [])
    assert "b" in store.subscribed()
    assert "a" not in store.subscribed()


def test_where_subscriptions_are_not_told_all_are_subscribed_to(
    store: StoreCommand, bring: Import
) -> None:
    server = ScriptedImap({b"INBOX": [], b"a": [Mail(1)]})
    server.answers = {b"LSUB": b"{tag} BAD unknown command\r\n"}
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (1, 0)
    assert "does not tell subscriptions" in answer["remarks"][0]
    assert "a" in store.subscribed()


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize(
    "response",
    [
        b"* 1 FETCH (UID 1 BODY[] {5}\r\na: b\n)\r\n",
        b"* 1 FETCH (BODY[] {5}\r\na: b\n UID 1)\r\n",
        b"* 1 FETCH (body[] {5}\r\na: b\n FLAGS (\\Seen) uid 1)\r\n",
        b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\na: b\n)\r\n",
        b"* 1 FETCH (UID 1 RFC822 {5}\r\na: b\n)\r\n",
        b'* 1 FETCH (UID 1 BODY[] "a: b")\r\n',
        b"* 1 FETCH (UID 1 BODY[] ~{5}\r\na: b\n)\r\n",
        b"* 1 FETCH (FLAGS ())\r\n* 1 FETCH (UID 1 BODY[] {5}\r\na: b\n)\r\n* 9 FETCH (UID 9)\r\n",
        b"* 1 FETCH (UID 1 BODY[] {5}\r\na: b\n)\r\n* 1 FETCH (UID 1 FLAGS (\\Deleted))\r\n",
        b"* 2 RECENT\r\n* OK still here\r\n* 1 FETCH (UID 1 BODY[] {5}\r\na: b\n)\r\n* FLAGS ()\r\n",
    ],
)
def test_a_message_is_read_in_each_shape_of_the_response(
    store: StoreCommand, bring: Import, response: bytes
) -> None:
    server = ScriptedImap({b"INBOX": [Mail(1, b"a: b\n")]})
    server.answers[b"UID FETCH 1 (UID BODY"] = response
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (1, 0), answer
    assert store.look()[0].data.rstrip() == b"a: b"


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (b"* 1 FETCH (UID 1 BODY[] NIL)\r\n", "the server has it not"),
        (b'* 1 FETCH (UID 1 BODY[] "")\r\n', "it is empty"),
        (b"* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n", "it is empty"),
        (b"", "the server has it not"),
        (b"* 2 FETCH (UID 2 BODY[] {1}\r\nx)\r\n", "the server has it not"),
        (b"{tag} NO gone\r\n", "gone"),
        (b"{tag} BAD what?\r\n", "what?"),
    ],
)
def test_a_message_without_text_is_skipped_by_name(
    bring: Import, response: bytes, why: str
) -> None:
    server = ScriptedImap({b"INBOX": [Mail(1)]})
    server.answers[b"UID FETCH 1 (UID BODY"] = response
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (0, 1)
    assert answer["mailboxes"][0]["skipped"] == 1
    assert skipped(answer).startswith("INBOX, UID 1: ")
    assert why in skipped(answer)


def test_messages_in_another_order_are_those_that_were_asked_for(
    store: StoreCommand, bring: Import
) -> None:
    server = ScriptedImap({b"INBOX": four()})
    usual = server._fetched
    server.answers[b"UID FETCH"] = lambda command: _reversed(usual(command))
    assert bring(server)["code"] == 0
    assert [each.data[:10] for each in store.look()] == [
        b"Subject: 1",
        b"Subject: 2",
        b"Subject: 7",
        b"Subject: 4",
    ]


def _reversed(responses: bytes) -> bytes:
    pieces = responses.split(b"* ")[1:]
    return b"".join(b"* " + piece for piece in reversed(pieces))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (b'"17-Jul-1996 02:44:25 -0700"', 837596665),
        (b'" 7-Jul-1996 02:44:25 -0700"', 836732665),
        (b'"7-jul-1996 02:44:25 -0700"', 836732665),
        (b'"17-Jul-96 09:44:25 GMT"', 837596665),
        (b'"Wed, 17 Jul 1996 02:44:25 -0700"', 837596665),
        (b'"1996-07-17T09:44:25Z"', 837596665),
        (b'"17-Jul-1996 09:44:25"', 837596665),
        (b"{26}\r\n17-Jul-1996 02:44:25 -0700", 837596665),
        (b"NIL", 1_000_000_000),
        (b'""', 1_000_000_000),
        (b'"yesterday"', 1_000_000_000),
        (b'"00-Jan-0000 00:00:00 +0000"', 1_000_000_000),
    ],
)
def test_each_shape_of_a_date_is_read_and_else_that_of_the_message_holds(
    store: StoreCommand, bring: Import, written: bytes, seconds: int
) -> None:
    data = b"Date: Sun, 09 Sep 2001 01:46:40 +0000\r\n\r\nx\r\n"
    assert bring(ScriptedImap({b"INBOX": [Mail(1, data, date=written)]}))["code"] == 0
    assert [each.date for each in store.look()] == [seconds]


@pytest.mark.parametrize(
    ("written", "flags"),
    [
        (b"\\seen \\FLAGGED", {"\\Seen", "\\Flagged"}),
        (b"\\Recent \\Odd $Forwarded", {"$Forwarded"}),
        (b"(nested) \\Seen", {"\\Seen"}),
        (b'"quoted" w\xc3\xb6rk ok', {"quoted", "ok"}),
        (b"a]b", set()),
        (b"NIL", set()),
        (b"x" * 500, set()),
    ],
)
def test_odd_flags_do_no_harm(
    store: StoreCommand, bring: Import, written: bytes, flags: set[str]
) -> None:
    assert bring(ScriptedImap({b"INBOX": [Mail(1, flags=written)]}))["code"] == 0
    assert [{*each.flags} for each in store.look()] == [flags]


def test_flags_that_change_meanwhile_leave_the_rest_as_it_was(
    store: StoreCommand, bring: Import
) -> None:
    server = ScriptedImap({b"INBOX": [Mail(1)]})
    changed = b"* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\n"
    server.answers[b"UID FETCH 1 (UID FLAGS"] = Mail(1).about(1) + changed
    bring(server)
    assert [(each.date, {*each.flags}) for each in store.look()] == [(837596665, {"\\Flagged"})]


# ---------------------------------------------------------------- lies and ends


@pytest.mark.parametrize("size", [0, 1, 10**12])
def test_a_lie_about_the_size_loses_nothing_and_is_told(
    store: StoreCommand, bring: Import, size: int
) -> None:
    answer = bring(ScriptedImap({b"INBOX": [Mail(1, size=size), Mail(2)]}))
    assert (answer["imported"], answer["code"]) == (2, 0)
    assert answer["remarks"] == ["INBOX: 1 message had another size than the server told"]


def test_a_message_that_is_larger_than_told_is_passed_over_and_the_others_come(
    store: StoreCommand, bring: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_source, "MAX_MESSAGE", 1000)
    monkeypatch.setattr(imap_source, "_ROOM", 1000)
    monkeypatch.setattr(imap_client, "_PIECE", 100)
    mails = [Mail(1), Mail(2, b"x" * 1001, size=10), Mail(3, b"y" * 900), Mail(4)]
    answer = bring(ScriptedImap({b"INBOX": mails}))
    assert (answer["imported"], answer["code"]) == (3, 1)
    assert skipped(answer) == "INBOX, UID 2: larger than 1000 octets"


def test_a_line_longer_than_imaplib_allows_is_read(bring: Import) -> None:
    mails = [Mail(1), Mail(4294967290)]
    line = b"* SEARCH 1" + b" 4294967290" * 100_000 + b"\r\n"
    server = ScriptedImap({b"INBOX": mails}, answers={b"UID SEARCH ALL": line})
    assert bring(server)["imported"] == 2


ENDS = [b"* BYE see you\r\n", b"* 2 FETCH (UID 2 BODY[] {99}\r\nSubj", b"rubbish\r\n"]


@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("what", [b"UID FETCH 2 (UID BODY", b"UID FETCH 2 (UID FLAGS"])
def test_a_message_at_which_the_server_hangs_up_is_skipped_by_name(
    store: StoreCommand, bring: Import, last: bytes, what: bytes
) -> None:
    server = ScriptedImap({b"INBOX": four()})
    word = what.rpartition(b"(")[2]

    def fetched(command: bytes) -> bytes:
        uids = command.split(b" ")[2].split(b",")
        return last if b"2" in uids and word in command else server._fetched(command)

    server.answers[b"UID FETCH"] = fetched
    answer = bring(server)
    assert (answer["imported"], answer["code"]) == (3, 1)
    wanted = "INBOX, UID 2: the server ended the connection when it was asked for it"
    assert skipped(answer) == wanted
    server.answers.clear()
    assert bring(server)["imported"] == 1


def test_an_end_that_lasts_tells_what_came_and_the_next_run_goes_on(
    store: StoreCommand, bring: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_MESSAGES", 1)
    server = ScriptedImap({b"INBOX": four()})

    def ended(command: bytes) -> bytes:
        server.answers[b"LOGIN"] = b"{tag} NO closed\r\n"
        return b"* BYE closed\r\n"

    server.answers[b"UID FETCH 2 (UID BODY"] = ended
    answer = bring(server)
    assert answer["code"] == 1
    assert "the connection to there.example was lost" in answer["error"]
    assert "INBOX: 1 message imported" in answer["details"]
    server.answers.clear()
    assert bring(server)["imported"] == 3
    assert len(store.look()) == 4

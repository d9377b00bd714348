"""I2 to I4: one client and a mailbox of 10,000 that no server has seen before."""

import time
from collections.abc import Iterable

from bench.compare.filling import Expected, fill
from bench.compare.generator import ImapCommands
from bench.compare.rows.setting import Setting

LIST = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"
SUBSET = "BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID REFERENCES)]"
MESSAGES = 10_000


def bulk(setting: Setting) -> None:
    """Fetch, search, alter. Rows that are not cold begin when both servers are quiet again."""
    number = setting.number(MESSAGES, 100)
    user = setting.endpoint.user("big", setting.turn)
    fill(setting.endpoint, setting.corpus, user, number)
    expected = setting.corpus.expected(number)
    setting.quiet()
    _first_session(setting, user, number, expected)
    time.sleep(3 * setting.scale)
    client = setting.endpoint.imap(user)
    try:
        _second_session(setting, client, user, number, expected)
        _searches(setting, client, number, expected)
        _alterations(setting, client, user, number)
    finally:
        client.close()


def _first_session(setting: Setting, user: int, number: int, expected: Expected) -> None:
    client = setting.endpoint.imap(user)
    try:
        _run(setting, client, number, _cold(expected, number))
        setting.quiet()
        _run(setting, client, number, _warm(expected, number))
    finally:
        client.close()


Row = tuple[str, str, dict[str, int]]  # its name, the command, what its answer must count


def _run(setting: Setting, client: ImapCommands, number: int, rows: Iterable[Row]) -> None:
    for name, command, wanted in rows:
        operations = 1 if command.startswith("SELECT") else number
        setting.meter.command(name, client, command, operations, **wanted)


def _cold(expected: Expected, number: int) -> Iterable[Row]:
    each = {"fetch": number}
    yield "I2.01 SELECT cold, 10k", "SELECT INBOX", {"exists": number}
    yield "I2.02 FETCH 1:* FLAGS", "FETCH 1:* (FLAGS)", each
    sizes = {**each, "sizes": expected.size}
    yield "I2.03 UID FETCH envelope set, cold", f"UID FETCH 1:* {LIST}", sizes


def _warm(expected: Expected, number: int) -> Iterable[Row]:
    each = {"fetch": number}
    structure, subset = "FETCH 1:* (BODYSTRUCTURE)", f"FETCH 1:* ({SUBSET})"
    sizes = {**each, "sizes": expected.size}
    fields = {**each, "lit_bytes": expected.subset}
    bodies = {**each, "lit_bytes": expected.size}
    yield "I2.04 UID FETCH envelope set, warm", f"UID FETCH 1:* {LIST}", sizes
    yield "I2.05 FETCH BODYSTRUCTURE, first", structure, each
    yield "I2.06 FETCH BODYSTRUCTURE, warm", structure, each
    yield "I2.07 FETCH header fields, first", subset, fields
    yield "I2.08 FETCH header fields, warm", subset, fields
    yield "I2.09 FETCH BODY.PEEK[] all", "FETCH 1:* (BODY.PEEK[])", bodies
    yield "I2.10 the same again", "FETCH 1:* (BODY.PEEK[])", bodies


def _second_session(
    setting: Setting, client: ImapCommands, user: int, number: int, expected: Expected
) -> None:
    setting.quiet()
    name = "I2.11 SELECT, second session"
    setting.meter.command(name, client, "SELECT INBOX", 1, exists=number)
    name, command = "I2.12 UID FETCH envelope set, second session", f"UID FETCH 1:* {LIST}"
    setting.meter.command(name, client, command, number, fetch=number, sizes=expected.size)
    if not setting.endpoint.has("imaps"):
        return
    secure = setting.endpoint.imap(user, "tls")
    secure("SELECT INBOX", exists=number)
    name, command = "I2.13 FETCH BODY.PEEK[] all, TLS", "FETCH 1:* (BODY.PEEK[])"
    setting.meter.command(name, secure, command, number, fetch=number, lit_bytes=expected.size)
    secure.close()


def _searches(setting: Setting, client: ImapCommands, number: int, expected: Expected) -> None:
    setting.quiet()
    in_body = {"search": expected.in_body}
    rows: list[Row] = [
        ("I3.1 SEARCH SUBJECT", "SEARCH SUBJECT zephyrquux", {"search": expected.in_subject}),
        ("I3.2 SEARCH FROM", "SEARCH FROM brontolith", {"search": expected.in_from}),
        ("I3.3 SEARCH BODY, first", "SEARCH BODY mirkwoodian", in_body),
    ]
    _run(setting, client, number, rows)
    setting.quiet()  # a server may index now what it has just searched
    rows = [
        ("I3.4 SEARCH BODY, again", "SEARCH BODY mirkwoodian", in_body),
        ("I3.5 SEARCH TEXT", "SEARCH TEXT mirkwoodian", in_body),
        ("I3.6 SEARCH UNSEEN SINCE", "SEARCH UNSEEN SINCE 1-Jan-2024", {}),
    ]
    if "SORT" in client.capabilities:
        all_of = {"search": number}
        rows.append(("I3.7 SORT (DATE), first", "SORT (DATE) UTF-8 ALL", all_of))
        rows.append(("I3.8 SORT (SUBJECT)", "SORT (SUBJECT) UTF-8 ALL", all_of))
    if "THREAD=REFERENCES" in client.capabilities:
        command = "THREAD REFERENCES UTF-8 ALL"
        rows.append(("I3.9 THREAD REFERENCES, first", command, {"thread": number}))
    _run(setting, client, number, rows)


def _alterations(setting: Setting, client: ImapCommands, user: int, number: int) -> None:
    some = setting.number(1000, 50)
    setting.quiet()
    meter = setting.meter
    command = "STORE 1:* +FLAGS (\\Flagged)"
    meter.command("I4.1 STORE 1:* +FLAGS", client, command, number, fetch=number)
    client("CREATE Copied")
    client("CREATE Moved")
    meter.command("I4.2 COPY 1:1000", client, f"COPY 1:{some} Copied", some)
    client("STATUS Copied (MESSAGES)", status_msgs=some)
    meter.command("I4.3 MOVE 1:1000", client, f"MOVE 1:{some} Moved", some, expunge=some)
    client("STATUS Moved (MESSAGES)", status_msgs=some)
    client(f"STORE 1:{some} +FLAGS.SILENT (\\Deleted)")
    meter.command("I4.4 EXPUNGE 1000", client, "EXPUNGE", some, expunge=some)
    last = setting.endpoint.imap(user)
    last("SELECT INBOX", exists=number - 2 * some)
    last.close()

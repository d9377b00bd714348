"""I7: one small command after another, by one client and by fifty, plain and over TLS."""

from bench.compare.filling import big_mailbox, small_mailboxes
from bench.compare.rows.setting import Setting

NOOP = ("1 NOOP", "NOOP")
ENVELOPE = ("2 FETCH n (UID FLAGS SIZE ENVELOPE)", "FETCH {r} (UID FLAGS RFC822.SIZE ENVELOPE)")
BODY = ("3 FETCH n BODY.PEEK[]", "FETCH {r} (BODY.PEEK[])")
# Flags are set and removed by turns: a STORE that changes nothing is another workload.
STORE = ("4 UID STORE n flag", "STORE {r} {s}FLAGS.SILENT (\\Flagged)")


def plain(setting: Setting) -> None:
    _run(setting, "I7", "imap", "none", (NOOP, ENVELOPE, BODY, STORE))


def secure(setting: Setting) -> None:
    _run(setting, "I7t", "imaps", "tls", (NOOP, ENVELOPE, BODY))


def store(setting: Setting) -> None:
    """Only alterations, to be compared with a server that syncs them as well (``peer-fsync``)."""
    _run(setting, "I9", "imap", "none", (STORE,))


def _run(
    setting: Setting, group: str, service: str, tls: str, commands: tuple[tuple[str, str], ...]
) -> None:
    endpoint = setting.endpoint
    many = small_mailboxes(endpoint, setting.corpus)
    number = setting.number(10_000, 100)
    user = big_mailbox(endpoint, setting.corpus, setting.turn, number)
    one = [f"ulo={user}", f"uhi={user}"]
    for connections, users in ((1, one), (50, many)):
        words = [*endpoint.at(service, tls), *endpoint.credentials(), *users]
        words += [f"conns={connections}", setting.seconds(2.5)]
        for title, command in commands:
            name = f"{group}.{title}, {connections} conn"
            setting.quiet()
            setting.meter.load(name, "imaploop", *words, f"cmd={command}", waits=True)

"""M: memory (proportional set size) after a start, of idle connections, of a large mailbox."""

import time

from bench.compare import generator
from bench.compare.filling import fill, small_mailboxes
from bench.compare.generator import WrongAnswer
from bench.compare.rows.setting import Setting

SETTLED = 2.0


def idle(setting: Setting) -> None:
    """A thousand connections in IDLE, plain and over TLS; each time after a start."""
    words = small_mailboxes(setting.endpoint, setting.corpus)
    for service, tls, name in (("imap", "none", "plain"), ("imaps", "tls", "TLS")):
        before = _after_start(setting)
        _hold(setting, [*setting.endpoint.at(service, tls), *words], name, before)


def _after_start(setting: Setting) -> int:
    endpoint = setting.endpoint
    if endpoint.restart is None:
        raise WrongAnswer("this server was started by hand: its memory now says nothing")
    endpoint.restart()
    time.sleep(SETTLED)
    setting.quiet()
    size, processes = endpoint.processes.pss_kib()
    name = "M1.1 PSS idle server after a restart, MiB"
    setting.meter.value(name, size / 1024, procs=processes)
    return size


def _hold(setting: Setting, words: list[str], name: str, before: int) -> None:
    connections = setting.number(1000, 50)
    credentials = setting.endpoint.credentials()
    process = generator.started("hold", *words, *credentials, f"conns={connections}")
    try:
        answer = generator.answer_of(process)
        if answer.get("errors") or answer.get("conns") != connections:
            raise WrongAnswer(f"hold: {answer}")
        time.sleep(SETTLED)
        size, processes = setting.endpoint.processes.pss_kib()
        each = (size - before) / connections
        row = f"M1.2 PSS per idle IMAP connection, {name}, KiB"
        setting.meter.value(row, each, procs=processes, total_mib=size / 1024)
        process.communicate("\n", timeout=60)
        if process.returncode:
            raise WrongAnswer("hold: a connection did not live")
    finally:
        generator.end(process)


def large_mailbox(setting: Setting) -> None:
    """What an open mailbox of 100,000 adds, with the columns of a list loaded, when all is quiet."""
    number = setting.number(100_000, 1000)
    user = setting.endpoint.user("huge", setting.turn + 5)
    fill(setting.endpoint, setting.corpus, user, number, as_links=True)
    before = _after_start(setting)
    client = setting.endpoint.imap(user)
    client("SELECT INBOX", exists=number)
    client("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", fetch=number)
    size, processes = setting.endpoint.processes.pss_kib()
    name = "M2.1 PSS an open mailbox of 100k adds, MiB"
    setting.meter.value(name, (size - before) / 1024, procs=processes)
    setting.quiet()
    size, processes = setting.endpoint.processes.pss_kib()
    name = "M2.2 PSS the same when it is indexed, MiB"
    setting.meter.value(name, (size - before) / 1024, procs=processes)
    client.close()

"""A server with workers: several processes that take mail in, and are one server to everybody."""

import os
import signal
import smtplib
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.whole import test_kill
from tests.whole.clients import hello
from tests.whole.crew import ALICE, BOB, CAROL, WORKERS, Crewed, worker_of
from tests.whole.hostile import Raw, eventually
from tests.whole.live import PATIENCE
from tests.whole.talker import Talker
from twisted_mail.workers.handed_mail import HANDOFF_PREFIX

pytestmark = pytest.mark.whole


def test_mail_comes_in_by_all_workers(crewed: Crewed) -> None:
    watching = Talker(crewed.ports["imap"], BOB)
    watching.select("INBOX")
    with ExitStack() as stack:
        clients = [stack.enter_context(crewed.smtp()) for _ in range(30)]
        ports = [client.sock.getsockname()[1] for client in clients if client.sock]
        servers = {worker_of(crewed, crewed.workers(), port) for port in ports}
        for number, client in enumerate(clients):
            client.sendmail(CAROL, [BOB, ALICE], hello(f"m{number}").encode())
    assert 0 not in servers
    assert len(servers) == WORKERS
    assert crewed.count(ALICE) == 30
    assert eventually(lambda: watching.ask("NOOP").is_ok and len(watching.view) == 30)


def test_a_detail_finds_its_mailbox_from_every_process(crew: Callable[..., Crewed]) -> None:
    server = crew("[addresses]\nsave_to_detail_mailbox = true\n")
    watching = Talker(server.ports["imap"], BOB)
    assert watching.ask("CREATE lists").is_ok
    watching.select("lists")
    for number in range(4):
        server.send(f"m{number}", "bob+Lists@example.org", "alice+lists@example.org")
    assert eventually(lambda: watching.ask("NOOP").is_ok and len(watching.view) == 4)
    assert (server.count(BOB), server.count(ALICE)) == (0, 4)
    assert eventually(lambda: server.text().count(f"delivered to {BOB} mailbox=lists") == 4)


def test_what_workers_do_is_in_the_one_log(crewed: Crewed) -> None:
    crewed.send("hello", BOB)
    assert eventually(lambda: f"delivered to {BOB}" in crewed.text())
    assert f"received from=<{CAROL}> to=<{BOB}>" in crewed.text()


def test_all_processes_write_one_mail_log(crew: Callable[..., Crewed]) -> None:
    server = crew('[log]\nfile = "mail.log"\n')
    path = server.folder / "state" / "mail.log"
    for number in range(10):
        server.send(f"m{number}", BOB)
    assert eventually(lambda: path.read_text().count(f"delivered to {BOB}") == 10)
    path.rename(path.with_suffix(".1"))
    server.send("afterwards", BOB)
    assert eventually(lambda: server.send("more", BOB) == {} and path.exists(), 5)
    assert "received from" not in server.text()


def test_submission_programs_and_lists_work_as_in_one_process(crewed: Crewed) -> None:
    with crewed.smtp("submission") as client:
        client.starttls()
        client.login(ALICE, "secret")
        client.sendmail(ALICE, ["news@example.org", BOB], hello("to the list").encode())
    assert eventually(lambda: crewed.count(BOB) == 2)
    assert eventually(lambda: crewed.count(ALICE) == 1)
    assert not list((crewed.folder / "state" / "tmp").glob(f"{HANDOFF_PREFIX}*"))


def test_lmtp_answers_for_each_recipient(crewed: Crewed) -> None:
    with crewed.raw("lmtp") as client:
        client.send(b"LHLO c\r\n")
        client.until(b"250 ")
        for command in (b"MAIL FROM:<alice@example.org>", b"RCPT TO:<bob@example.org>"):
            assert client.ask(command).startswith(b"250")
        assert client.ask(b"RCPT TO:<news@example.org>").startswith(b"250")
        assert client.ask(b"DATA").startswith(b"354")
        message = b"From: alice@example.org\r\nSubject: x\r\n\r\nhello\r\n."
        assert client.ask(message).startswith(b"250")
        assert client.line().startswith(b"250")
    assert eventually(lambda: crewed.count(BOB) == 2)


@pytest.mark.parametrize("quota", [5])
def test_a_quota_is_one_for_all_workers(crew: Callable[..., Crewed], quota: int) -> None:
    server = crew(f"[store]\nquota_messages = {quota}\n")
    answers: list[object] = []

    def send(number: int) -> None:
        try:
            server.send(f"m{number}", BOB)
            answers.append(250)
        except smtplib.SMTPRecipientsRefused as error:
            answers.append(error.recipients[BOB][0])
        except smtplib.SMTPDataError as error:
            answers.append(error.smtp_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(250) == quota
    assert {*answers} <= {250, 552, 452}
    assert server.count(BOB) == quota


def test_connections_of_one_address_are_counted_together(crew: Callable[..., Crewed]) -> None:
    server = crew(listener="connections_per_address = 8\n")
    with ExitStack() as stack:
        greetings = []
        for _ in range(12):
            greetings.append(stack.enter_context(server.raw()).line()[:3])
        assert greetings == [b"220"] * 8 + [b"421"] * 4
    assert eventually(lambda: server.raw().line().startswith(b"220"))


def takers(server: Crewed, clients: int) -> list[bool]:
    """Return of as many clients at a time which may send a message."""
    found = []
    with ExitStack() as stack:
        for _ in range(clients):
            client = stack.enter_context(server.raw())
            answer = client.line()
            for command in (b"HELO c", b"MAIL FROM:<a@b.example>", b"RCPT TO:<bob@example.org>"):
                if answer.startswith(b"2"):
                    answer = client.ask(command)
            found.append(answer.startswith(b"250"))
    return found


@pytest.mark.parametrize(
    "kind",
    [
        'kind = "rates"\nrates = [{of = "messages", each = "address", number = 6}]\n',
        'kind = "concurrency"\naddress = 6\n',
    ],
    ids=["rates", "concurrency"],
)
def test_what_is_counted_is_counted_for_all_workers(crew: Callable[..., Crewed], kind: str) -> None:
    server = crew(f"[[filter]]\ntrusted = []\n{kind}")
    assert takers(server, 10) == [True] * 6 + [False] * 4
    if "concurrency" in kind:
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
        assert server.has_begun(2 * WORKERS)
        assert takers(server, 10).count(True) == 6


def test_guessers_are_slowed_down_by_all_workers_together(crewed: Crewed) -> None:
    """Whoever comes to another worker each time waits as if it were one."""
    waits = []
    with ExitStack() as stack:
        clients: dict[int, Raw] = {}
        while len(clients) < WORKERS:
            client = stack.enter_context(crewed.raw("submission"))
            client.line()
            port = client.socket.getsockname()[1]
            clients.setdefault(worker_of(crewed, crewed.workers(), port, "submission"), client)
        first, second = clients.values()
        for client in (first, second, first):
            began = os.times().elapsed
            client.send(b"EHLO c\r\n")
            client.until(b"250 ")
            assert client.ask(b"AUTH PLAIN AGJvYkBleGFtcGxlLm9yZwB3cm9uZw==").startswith(b"535")
            waits.append(os.times().elapsed - began)
    assert [round(wait) for wait in waits] == [2, 4, 8]


def test_a_worker_that_is_killed_is_replaced_and_nothing_promised_is_lost(crewed: Crewed) -> None:
    senders = test_kill.Senders(crewed.ports["smtp"], 10, 40)
    assert senders.is_enough.wait(60)
    for pid in crewed.workers():
        os.kill(pid, signal.SIGKILL)
    for thread in senders.threads:
        thread.join(30)
    assert crewed.has_begun(2 * WORKERS)
    crewed.send("afterwards", CAROL)
    for account in (ALICE, BOB):
        names = test_kill.received(crewed.ports["imap"], account)
        assert senders.answered <= set(names)
        assert max(names.values()) == 1


def test_while_there_is_no_worker_the_main_process_takes_the_mail(crewed: Crewed) -> None:
    for pid in crewed.workers():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: crewed.text().count("the next starts in") == WORKERS)
    with crewed.smtp() as client:
        assert client.sock is not None
        assert worker_of(crewed, [crewed.pid], client.sock.getsockname()[1]) == crewed.pid
        client.sendmail(CAROL, [BOB], hello("at once").encode())
        assert crewed.has_begun(2 * WORKERS)
        client.sendmail(CAROL, [BOB], hello("later").encode())
    assert crewed.count(BOB) == 2


def test_what_was_answered_before_the_end_is_in_the_log(crewed: Crewed) -> None:
    clients = [crewed.raw() for _ in range(40)]
    for client in clients:
        client.line()
        for command in (
            b"HELO c",
            b"MAIL FROM:<a@b.example>",
            b"RCPT TO:<bob@example.org>",
            b"DATA",
        ):
            client.ask(command)
    for client in clients:
        client.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
    assert clients[0].line().startswith(b"250")
    crewed.process._process.terminate()
    answers = [client.line() for client in clients[1:]]
    assert crewed.process._process.wait(PATIENCE) in (0, -signal.SIGTERM)
    taken = 1 + sum(answer.startswith(b"250") for answer in answers)
    assert crewed.text().count("received from=<a@b.example>") >= taken
    for client in clients:
        client.close()


def test_a_server_that_stops_says_farewell_and_leaves_nobody_behind(crewed: Crewed) -> None:
    workers = crewed.workers()
    with crewed.raw() as client:
        client.line()
        crewed.process._process.terminate()
        assert client.line().startswith(b"421 4.3.2")
    assert crewed.process._process.wait(PATIENCE) in (0, -signal.SIGTERM)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert "the next starts in" not in crewed.text()


def test_workers_do_not_outlive_a_main_process_that_is_killed(crewed: Crewed) -> None:
    workers = crewed.workers()
    crewed.process.kill()
    assert eventually(lambda: not any(_is_running(pid) for pid in workers))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_clients_that_a_proxy_brings_are_counted_by_their_own_addresses(
    crew: Callable[..., Crewed],
) -> None:
    server = crew(listener="proxy = true\nconnections_per_address = 3\n")
    with ExitStack() as stack:

        def greeting(host: str) -> bytes:
            client = stack.enter_context(server.raw())
            client.send(f"PROXY TCP4 {host} 192.0.2.99 40000 25\r\n".encode())
            return client.line()[:3]

        assert [greeting("192.0.2.1") for _ in range(4)] == [b"220"] * 3 + [b"421"]
        assert greeting("192.0.2.2") == b"220"

"""The thread of a server with ports, and what it leaves alone."""

import os
import smtplib
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from twisted_mail.testing.server import MailServer
from twisted_mail.testing.tcp import LoopThread


def count_of_threads() -> int:
    return sum(thread.name == "twisted_mail.testing" for thread in threading.enumerate())


def test_a_server_without_ports_has_no_thread() -> None:
    before = count_of_threads()
    with MailServer() as server:
        server.connect("smtp")
        assert count_of_threads() == before


def test_closing_ends_the_thread_the_ports_and_the_connections() -> None:
    before = count_of_threads()
    with MailServer() as server:
        address = server.address("smtp")
        client = socket.create_connection(address)
        assert client.recv(100).startswith(b"220")
    assert count_of_threads() == before
    assert client.recv(100) == b""
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_descriptors_are_given_back() -> None:
    def use() -> None:
        with MailServer() as server, smtplib.SMTP(*server.address("smtp")) as client:
            client.noop()

    use()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        use()
    assert len(os.listdir("/proc/self/fd")) == before


def test_many_servers_come_and_go() -> None:
    for _ in range(5):
        with MailServer() as server, smtplib.SMTP(*server.address("smtp")) as client:
            assert client.noop()[0] == 250


def test_an_error_in_the_thread_is_raised_where_it_was_asked_for() -> None:
    thread = LoopThread()
    try:
        with pytest.raises(ZeroDivisionError):
            thread.run(lambda: 1 // 0)
        assert thread.run(lambda: thread.run(lambda: 7)) == 7
    finally:
        thread.stop()


def run(code: str, tmp_path: Path) -> str:
    """Run a program of its own; return what it prints."""
    file = tmp_path / "program.py"
    file.write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", file], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BEGIN = """
import os, smtplib, sys
from twisted_mail.testing.server import MailServer

def noop(server):
    with smtplib.SMTP(*server.address("smtp")) as client:
        return client.noop()[0]
"""


def test_the_reactor_of_the_project_is_neither_installed_nor_needed(tmp_path: Path) -> None:
    code = """
with MailServer() as server:
    trust = server.client_context()
    with smtplib.SMTP(*server.address("smtp", tls="starttls")) as client:
        client.starttls(context=trust)
        client.noop()
print("twisted.internet.reactor" in sys.modules)
"""
    assert run(BEGIN + code, tmp_path) == "False\n"


def test_a_forked_process_has_servers_of_its_own(tmp_path: Path) -> None:
    code = """
with MailServer() as before:
    noop(before)
    if os.fork() == 0:
        with MailServer() as server:
            ok = noop(server) == 250
        before.close()
        os._exit(0 if ok else 1)
    print(os.waitstatus_to_exitcode(os.wait()[1]), noop(before))
"""
    assert run(BEGIN + code, tmp_path) == "0 250\n"


def test_a_project_that_runs_its_own_reactor_uses_threads(tmp_path: Path) -> None:
    code = """
from twisted.internet import reactor, threads

server = MailServer()
server.address("smtp")

def done(code):
    print(code, len(server.messages))
    reactor.stop()

threads.deferToThread(noop, server).addCallback(done)
reactor.run()
server.close()
"""
    assert run(BEGIN + code, tmp_path) == "250 0\n"


def test_a_project_on_asyncio_connects_as_to_any_server(tmp_path: Path) -> None:
    code = """
import asyncio

async def greeting(server):
    reader, writer = await asyncio.open_connection(*server.address("imap"))
    line = await reader.readline()
    writer.close()
    return line[:4]

with MailServer() as server:
    print(asyncio.run(greeting(server)))
"""
    assert run(BEGIN + code, tmp_path) == "b'* OK'\n"


def test_trial_runs_its_reactor_besides(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        BEGIN
        + """
from twisted.internet import threads
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

class Client(Protocol):
    def __init__(self):
        self.came = Deferred()

    def dataReceived(self, data):
        self.came.callback(data)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        self.lost.callback(None)

class ItTest(TestCase):
    def setUp(self):
        self.server = MailServer()
        self.addCleanup(self.server.close)

    async def test_a_client_that_blocks(self):
        self.assertEqual(await threads.deferToThread(noop, self.server), 250)

    async def test_a_client_of_twisted(self):
        from twisted.internet import reactor

        client = Client()
        client.lost = Deferred()
        endpoint = HostnameEndpoint(reactor, *self.server.address("pop3"))
        await connectProtocol(endpoint, client)
        self.assertTrue((await client.came).startswith(b"+OK"))
        await client.lost
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "twisted.trial", "test_it"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "PASSED (successes=2)" in done.stdout, done.stdout + done.stderr

"""kill -9 while mail flows between two servers: what was answered 250 arrives, and is reported once.

``QUEUE_ROUNDS=200`` kills so often; the server that sends, and now and then the one that receives.
"""

import os
import random
import re
import smtplib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from email import message_from_string
from pathlib import Path

import pytest

from tests.whole.live import PATIENCE
from tests.whole.process import select_nothing
from tests.whole.test_two_servers import Server, servers  # noqa: F401

ROUNDS = int(os.environ.get("QUEUE_ROUNDS", "10"))
SENDERS = 4
IN_FLIGHT = (
    40  # messages that a server may have handed over and not noted yet: 20 connections, two each
)
LARGE = "".join(f"line {number} of a large message\r\n" for number in range(2000))
SUBJECT = re.compile(r"^Subject: (sent-\S+)\r?$", re.MULTILINE)

pytestmark = pytest.mark.whole


class Senders:
    """Users who send numbered messages until their server is gone.

    ``accepted`` has the subjects that were answered 250, ``failing`` those for somebody who does not
    exist.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.accepted: set[str] = set()
        self.failing: set[str] = set()
        self._server = server
        self.threads = [
            threading.Thread(target=self._send, args=(f"{name}-{one}",)) for one in range(SENDERS)
        ]
        for thread in self.threads:
            thread.start()

    def _send(self, name: str) -> None:
        user = self._server.user
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with smtplib.SMTP(
                self._server.address, self._server.submission, timeout=PATIENCE
            ) as client:
                client.starttls(context=context)
                client.login(user, "secret")
                for number in range(300):
                    subject = f"sent-{name}-{number}"
                    to = "bob@there.example" if number else "nobody@there.example"
                    body = LARGE if number % 10 == 5 else "Hello\r\n"
                    text = f"From: <{user}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\n{body}"
                    client.sendmail(user, [to], text)
                    (self.accepted if number else self.failing).add(subject)
        except (smtplib.SMTPException, OSError):
            pass  # the server is gone

    def wait(self) -> None:
        for thread in self.threads:
            thread.join()


class Arrivals:
    """What lies in the inboxes, each file read once."""

    def __init__(self, server: Server) -> None:
        local, _, domain = server.user.partition("@")
        self._folder = server.folder / "state" / "mail" / domain / local / "Maildir" / "new"
        self._seen: set[Path] = set()
        self.subjects: Counter[str] = Counter()
        self.reports: dict[str, set[str]] = {}

    def look(self) -> None:
        for path in set(self._folder.glob("*")) - self._seen:
            self._seen.add(path)
            text = path.read_text()
            subject = SUBJECT.findall(text)[-1]
            if "multipart/report" in text:
                id = message_from_string(text)["Message-ID"]
                self.reports.setdefault(subject, set()).add(id)
            else:
                assert LARGE.replace("\r", "") in text or "\nHello\n" in text, (
                    f"{subject} is not whole"
                )
                self.subjects[subject] += 1


def until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        select_nothing(0.2)
    return True


def test_nothing_is_lost_and_nothing_reported_twice(
    servers: tuple[Server, Server],  # noqa: F811
    record_property: Callable[[str, object], None],
) -> None:
    here, there = servers
    here.process.kill()
    with (here.folder / "mail.toml").open("a") as file:
        file.write("\n[reports]\nrate = 0\n")
    here.process.start()
    accepted, failing = set[str](), set[str]()
    chance = random.Random(ROUNDS)
    for number in range(ROUNDS):
        senders = Senders(here, str(number))
        select_nothing(chance.uniform(0.1, 0.9))
        if number % 5 == 4:
            there.process.kill()
            select_nothing(chance.uniform(0.0, 0.3))
        here.process.kill()
        senders.wait()
        accepted |= senders.accepted
        failing |= senders.failing
        if number % 5 == 4:
            there.process.start()
        here.process.start()
    here.control("queue", "retry", "--all")
    arrived, reported = Arrivals(there), Arrivals(here)

    def all_is_there() -> bool:
        arrived.look()
        reported.look()
        return accepted <= arrived.subjects.keys() and failing <= reported.reports.keys()

    until(all_is_there, 120)
    assert accepted - arrived.subjects.keys() == set(), "lost"
    assert failing - reported.reports.keys() == set(), "not reported"
    assert [one for one, ids in reported.reports.items() if len(ids) > 1] == [], "reported twice"
    twice = sum(arrived.subjects.values()) - len(arrived.subjects)
    assert twice <= ROUNDS * IN_FLIGHT
    assert len(accepted) > ROUNDS * SENDERS
    record_property("arrived", len(arrived.subjects))
    record_property("twice", twice)
    record_property("reported", len(failing))

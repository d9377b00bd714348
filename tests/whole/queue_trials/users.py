"""Users who send numbered messages until their server is gone."""

import smtplib
import ssl
import threading
from dataclasses import dataclass, field

from tests.whole.live import PATIENCE
from tests.whole.queue_trials.arrivals import LARGE, SMALL
from tests.whole.test_two_servers import Server

USERS = 3
SINK = "anybody@sink.example"


@dataclass
class Promised:
    """The ids of what was answered 250: by subject and recipient, and, for nobody, by subject alone."""

    accepted: dict[tuple[str, str], str] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.accepted) + len(self.failing)

    def add(self, subject: str, recipients: list[str], id: str) -> None:
        for one in recipients:
            if one.startswith("nobody@"):
                self.failing[subject] = id
            else:
                self.accepted[subject, one] = id


class Users:
    """The users of ``server``, who write to those of another one, to the sink, and to nobody."""

    def __init__(self, server: Server, other: Server, name: str, promised: Promised) -> None:
        self._server, self._other, self._promised = server, other, promised
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(f"sent-{server.name}-{name}-{one}",))
            for one in range(USERS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, name: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        server = self._server
        try:
            with smtplib.SMTP(server.address, server.submission, timeout=PATIENCE) as client:
                client.starttls(context=context)
                client.login(server.user, "secret")
                number = 0
                while not self._is_over.is_set():
                    self._send_one(client, number, f"{name}-{number}")
                    number += 1
        except (smtplib.SMTPException, OSError):
            pass  # the server is gone

    def _send_one(self, client: smtplib.SMTP, number: int, subject: str) -> None:
        recipients = self._recipients(number)
        body = LARGE if number % 10 == 5 else SMALL
        header = f"From: <{self._server.user}>\nTo: <{recipients[0]}>\nSubject: {subject}\n\n"
        text = (header + body).replace("\n", "\r\n")
        client.mail(self._server.user)
        for one in recipients:
            client.rcpt(one)
        code, reply = client.data(text)
        if code == 250:
            self._promised.add(subject, recipients, reply.split()[-1].decode())

    def _recipients(self, number: int) -> list[str]:
        if number == 0:
            return [f"nobody@{self._other.name}.example"]
        if number % 10 in (2, 7):
            return [SINK]
        if number % 10 == 3:
            return [self._other.user, self._server.user]
        return [self._other.user]

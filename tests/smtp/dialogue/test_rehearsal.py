"""Asking a host whether it would take a message: MAIL, RCPT, RSET, and nothing else."""

from tests.smtp.dialogue.hosts import Talk
from twisted_mail.mail.address import NULL, parse
from twisted_mail.smtp.client import ClientSession
from twisted_mail.smtp.dialogue.rehearsal import Rehearsed
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop

ALICE, BOB = parse("alice@example.org"), parse("bob@remote.example")


class RehearsedTalk(Talk):
    """A connection on which a host is asked about alice's mail to bob."""

    def __init__(self, sender=ALICE, size: int = 0) -> None:
        self._asked = sender, BOB, size
        self.found: list[Rehearsed] = []
        super().__init__(None)

    async def _run(self, hop: NextHop, settings: ClientSettings) -> None:
        session = await self.hosts.client.connect(hop, settings)
        assert isinstance(session, ClientSession)
        self.found = await session.rehearse(*self._asked)
        session.close()

    def answers(self) -> list[str]:
        return [f"{one.command}: {one.outcome.code} {one.outcome.text}" for one in self.found]


def test_a_host_that_would_take_it_is_left_as_it_was() -> None:
    talk = RehearsedTalk(size=5000)
    talk.greet("SIZE 1000000")
    talk.heard()
    talk.says("250 Ok")
    assert talk.heard() == b"RCPT TO:<bob@remote.example>\r\n"
    talk.says("250 2.1.5 Ok")
    assert talk.heard() == b"RSET\r\n"
    talk.says("250 Ok")
    assert talk.heard() == b"QUIT\r\n"
    assert talk.answers() == [
        "MAIL FROM:<alice@example.org> SIZE=5000: 250 Ok",
        "RCPT TO:<bob@remote.example>: 250 Ok",
        "RSET: 250 Ok",
    ]


def test_a_refused_sender_is_not_followed_by_a_recipient() -> None:
    talk = RehearsedTalk(NULL)
    talk.greet()
    talk.says("550 5.7.1 No")
    assert talk.heard().endswith(b"MAIL FROM:<>\r\nRSET\r\n")
    talk.says("250 Ok")
    assert talk.answers() == ["MAIL FROM:<>: 550 No", "RSET: 250 Ok"]


def test_a_host_that_closes_has_said_the_last_word() -> None:
    talk = RehearsedTalk()
    talk.greet()
    talk.says("250 Ok")
    talk.says("421 4.7.0 Too many connections")
    assert talk.answers()[-1] == "RCPT TO:<bob@remote.example>: 421 Too many connections"


def test_a_host_that_is_silent_ends_it() -> None:
    talk = RehearsedTalk()
    talk.greet()
    talk.line().pass_time(301)
    assert [one.outcome.code for one in talk.found] == [451]
    assert talk.is_over

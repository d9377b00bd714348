import pytest

from tests.policy import contexts
from tests.policy.connections import FakeConnector
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage
from twisted_mail.policy.scanners.clamav import ClamavFilter, ClamavSettings
from twisted_mail.testing.doubles import InlineBlocking, finish

EICAR = b"stream: Eicar-Test-Signature FOUND\0"


class FakeClamd:
    """Takes a stream of up to ``most`` octets, and then says what it was told to."""

    def __init__(self, says=b"stream: OK\0", most=10**9):
        self.says, self.most = says, most
        self.held = b""
        self.stream = b""
        self.chunks = 0
        self.has_left = False

    def hear(self, data):
        self.held += data
        if self.held.startswith(b"z"):
            assert self.held.startswith(b"zINSTREAM\0")
            self.held = self.held.removeprefix(b"zINSTREAM\0")
        while len(self.held) >= 4:
            length = int.from_bytes(self.held[:4], "big")
            if length == 0:
                return self.says
            if len(self.held) < 4 + length:
                break
            self.stream += self.held[4 : 4 + length]
            self.held = self.held[4 + length :]
            self.chunks += 1
            if len(self.stream) > self.most:
                self.has_left = True
                return b"INSTREAM size limit exceeded. ERROR\0"
        return b""


def judged(clamd, body=b"words\r\n", **options):
    connector = FakeConnector(lambda: clamd)
    asked = ClamavFilter(ClamavSettings(**options), connector, InlineBlocking())
    context = contexts.context()
    context.message = Message(MemoryBlob(body), b"Received: x\r\n")
    try:
        return finish(asked.judge(FilterStage.MESSAGE, context))
    finally:
        assert all(not line.is_open for line in connector.lines)


def test_a_message_is_sent_in_chunks():
    clamd = FakeClamd()
    body = b"x" * 1_000_000
    assert judged(clamd, body) == ACCEPT
    assert clamd.stream == b"Received: x\r\n" + body
    assert clamd.chunks > 3


def test_a_virus_is_refused_by_default():
    found = judged(FakeClamd(EICAR))
    assert found.reason == "found Eicar-Test-Signature"
    assert found.answer == Outcome(554, "5.7.1", "The message has a virus: Eicar-Test-Signature")
    assert judged(FakeClamd(EICAR), found="quarantine").decision is Decision.QUARANTINE


def test_a_message_that_is_too_large_is_not_sent():
    clamd = FakeClamd(EICAR)
    found = judged(clamd, b"x" * 100, max_size=50)
    assert (found.decision, found.reason) == (Decision.ACCEPT, "too large to be looked at")
    assert not clamd.stream
    assert judged(clamd, b"x" * 100, max_size=50, too_large="refuse").answer.code == 552


def test_clamd_may_take_less_than_we_think():
    found = judged(FakeClamd(most=300_000), b"x" * 1_000_000, too_large="defer")
    assert found.decision is Decision.DEFER


@pytest.mark.parametrize(
    "clamd",
    [
        None,
        FakeClamd(b""),
        FakeClamd(b"stream: lstat() failed ERROR\0"),
        FakeClamd(b"UNKNOWN COMMAND\0"),
        FakeClamd(b"x" * 5000),
        FakeClamd(b"stream: Eicar FOUND"),
    ],
)
def test_whatever_else_is_said_is_a_failure(clamd):
    with pytest.raises(Unavailable):
        judged(clamd)


def test_a_name_of_a_virus_is_harmless():
    assert judged(FakeClamd(b"stream: a\r\n250 Ok\x1b FOUND\0")).reason == "found a__250 Ok_"

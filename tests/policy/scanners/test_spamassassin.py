import pytest

from tests.policy import contexts
from tests.policy.connections import FakeConnector
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage
from twisted_mail.policy.scanners.spamassassin import SpamassassinFilter, SpamassassinSettings
from twisted_mail.testing.doubles import InlineBlocking, finish

HEAD = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\n"
SPAM = HEAD + b"Spam: True ; 15.3 / 5.0\r\n\r\nA,B_C\r\n"
HAM = HEAD + b"Spam: False ; -0.1 / 5.0\r\n\r\n\r\n"


class FakeSpamd:
    """Says what it was told to once the message has come, and hangs up."""

    def __init__(self, says, stays=False):
        self.says, self.stays = says, stays
        self.held = b""
        self.has_left = False

    def hear(self, data):
        self.held += data
        head, end, body = self.held.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ") for line in head.split(b"\r\n")[1:])
        if not end or len(body) < int(fields[b"Content-length"]):
            return b""
        assert len(body) == int(fields[b"Content-length"])
        self.has_left = not self.stays
        return self.says


def judged(spamd, size=100, submitter="", **options):
    connector = FakeConnector(lambda: spamd)
    settings = SpamassassinSettings(**options)
    context = contexts.context()
    context.message, context.submitter = contexts.message(size), submitter
    try:
        asked = SpamassassinFilter(settings, connector, InlineBlocking())
        return finish(asked.judge(FilterStage.MESSAGE, context))
    finally:
        assert all(not line.is_open for line in connector.lines)


def test_spam_is_quarantined_and_mail_taken():
    spamd = FakeSpamd(SPAM)
    found = judged(spamd)
    assert (found.decision, found.reason) == (Decision.QUARANTINE, "score 15.3 of 5.0 A B_C")
    assert spamd.held.startswith(b"SYMBOLS SPAMC/1.5\r\nContent-length: 113\r\n\r\nReceived: x\r\n")
    found = judged(FakeSpamd(HAM))
    assert (found.decision, found.reason) == (Decision.ACCEPT, "score -0.1 of 5.0")


def test_a_high_score_may_be_refused():
    assert judged(FakeSpamd(SPAM), refuse_at=15).answer.code == 554
    assert judged(FakeSpamd(SPAM), refuse_at=16).decision is Decision.QUARANTINE
    assert judged(FakeSpamd(SPAM), spam="accept").decision is Decision.ACCEPT


def test_rules_are_those_of_a_user():
    spamd = FakeSpamd(HAM)
    judged(spamd, user="mail")
    assert b"\r\nUser: mail\r\n\r\n" in spamd.held
    with pytest.raises(ValueError, match="user"):
        SpamassassinSettings(user="a\r\nb")


def test_some_mail_is_not_judged():
    assert judged(FakeSpamd(SPAM), size=500_000) == ACCEPT
    assert judged(FakeSpamd(SPAM), submitter="alice", skips_submitted=True) == ACCEPT


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"SPAMD/1.0 76 Bad header line\r\n\r\n",
        HEAD + b"\r\n",
        HEAD + b"Spam: True ; .... / 5.0\r\n\r\n",
        b"x" * 100_000,
        HEAD,
    ],
)
def test_whatever_else_is_said_is_a_failure(says):
    with pytest.raises(Unavailable):
        judged(FakeSpamd(says))


def test_who_does_not_answer_fails():
    for spamd in (None, FakeSpamd(b"", stays=True)):
        with pytest.raises(Unavailable):
            judged(spamd)

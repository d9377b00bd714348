"""Opening connections to hosts: which tries follow which failures, and what is noted of them."""

from dataclasses import replace

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import (
    HOP,
    REFUSED,
    SETTINGS,
    MemoryHosts,
    MemoryServerLine,
    Talk,
    mail,
)
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.trust import Demand, TlsLevel, Whence
from twisted_mail.smtp.client import ClientSession
from twisted_mail.smtp.dialogue.settings import NextHop
from twisted_mail.smtp.dialogue.tries import REMEMBER_SECONDS, BrokenTls


def test_a_host_that_cannot_be_reached() -> None:
    hosts = MemoryHosts()
    hosts.refuses = True
    talk = Talk(SentMail([mail()]), hosts=hosts, hop=NextHop("mx", "2001:db8::1", 2525, "::1"))
    assert talk.end is not None
    assert talk.end.outcome == REFUSED
    assert talk.end.reply_class is ReplyClass.NETWORK
    assert talk.end.address == "[2001:db8::1]:2525"
    assert (talk.end.source, talk.end.use) == ("::1", 0)
    assert talk.supply.attempts == []


def test_the_address_of_a_socket_is_its_path() -> None:
    assert NextHop("store", "/run/lmtp", 24).shown_address == "/run/lmtp"


def up_to_tls(talk: Talk) -> None:
    talk.greet("STARTTLS")
    talk.says("220 Go")


def break_tls_and_take_mail(talk: Talk) -> None:
    """Fail in the handshake, and take a message over the next connection."""
    talk.line().break_tls()
    talk.line(2).send([b"220 mx ESMTP\r\n"])
    talk.line(2).send([b"250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"])
    talk.line(2).send([b"250 Ok\r\n250 Ok\r\n354 Go\r\n"])
    talk.line(2).send([b"250 Ok\r\n"])


def test_tls_is_told_in_the_attempt() -> None:
    talk = Talk(SentMail([mail()]))
    up_to_tls(talk)
    talk.line().start_tls()
    talk.says("250-mx", "250 PIPELINING")
    talk.says("250 Ok", "250 Ok", "354 Go")
    talk.says("250 Ok")
    [(_, _, attempt)] = talk.supply.attempts
    assert attempt.tls == "TLSv1.3/TLS_AES_256_GCM_SHA384"
    assert attempt.tls_failure == ""
    assert "tls" in attempt.phases
    assert talk.session is not None
    assert not talk.session.proof.names


def test_clear_text_after_tls_has_failed_is_told_in_the_attempt() -> None:
    talk = Talk(SentMail([mail()]))
    up_to_tls(talk)
    break_tls_and_take_mail(talk)
    [(_, _, attempt)] = talk.supply.attempts
    assert (attempt.tls, attempt.outcome.code) == ("", 250)
    assert attempt.tls_failure == "The TLS handshake failed: no shared cipher"


def test_tls_that_hangs_is_followed_by_clear_text_in_time() -> None:
    talk = Talk(SentMail([mail()]))
    up_to_tls(talk)
    talk.line().pass_time(29)
    assert len(talk.hosts.connections) == 1
    talk.line().pass_time(2)
    assert len(talk.hosts.connections) == 2
    assert talk.hosts.connections[0][1].is_gone


def test_tls_that_hangs_where_it_is_demanded_sends_nothing() -> None:
    talk = Talk(SentMail([mail()]), replace(SETTINGS, demand=Demand(TlsLevel.ENCRYPT)))
    up_to_tls(talk)
    talk.line().pass_time(31)
    assert talk.end is not None
    assert talk.end.reply_class is ReplyClass.TLS
    assert talk.end.outcome.text == "The TLS handshake took longer than 30 seconds"
    assert len(talk.hosts.connections) == 1


def test_a_name_that_is_proven_is_known() -> None:
    talk = Talk(SentMail([mail()]), replace(SETTINGS, demand=Demand(TlsLevel.VERIFY)))
    up_to_tls(talk)
    talk.line().start_tls()
    talk.says("250-mx", "250 PIPELINING")
    assert talk.session is not None
    assert talk.session.proof.names


def test_implicit_tls_comes_before_the_greeting() -> None:
    settings = replace(SETTINGS, demand=Demand(TlsLevel.ENCRYPT), is_tls_implicit=True)
    talk = Talk(SentMail([mail()]), settings)
    talk.line().start_tls()
    talk.greet("PIPELINING", "STARTTLS")
    assert talk.heard().endswith(
        b"MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@remote.example>\r\nDATA\r\n"
    )


def test_implicit_tls_that_fails_is_not_followed_by_clear_text() -> None:
    talk = Talk(SentMail([mail()]), replace(SETTINGS, is_tls_implicit=True))
    talk.line().break_tls()
    assert talk.end is not None
    assert talk.end.reply_class is ReplyClass.TLS
    assert len(talk.hosts.connections) == 1


def test_a_farewell_is_waited_for_only_a_moment() -> None:
    talk = Talk(SentMail([]))
    talk.greet("PIPELINING")
    assert talk.is_over
    assert talk.heard().endswith(b"QUIT\r\n")
    assert not talk.line().transport.is_gone
    talk.line().pass_time(3)
    assert talk.line().transport.is_gone


def test_a_session_is_closed_once() -> None:
    talk = Talk(SentMail([]))
    talk.greet("PIPELINING")
    assert talk.session is not None
    talk.heard()
    talk.session.close()
    assert talk.heard() == b""
    talk.session.abort()
    assert not talk.session.is_open


def test_a_host_that_breaks_off_at_ehlo_again_and_again_is_given_up() -> None:
    talk = Talk(SentMail([mail()]))
    talk.line().send([b"220 mx\r\n"])
    talk.line().close()
    talk.line(2).send([b"220 mx\r\n"])
    talk.line(2).close()
    assert talk.end is not None
    assert talk.end.command == "HELO mail.example.org"


def test_a_host_of_esmtp_that_breaks_off_at_ehlo_is_given_up_at_once() -> None:
    talk = Talk(SentMail([mail()]))
    talk.line().send([b"220 mx ESMTP\r\n"])
    talk.line().close()
    assert talk.end is not None
    assert len(talk.hosts.connections) == 1


def test_who_is_cancelled_while_a_connection_opens_ends_it() -> None:
    talk = Talk(SentMail([mail()]))
    failures: list[Failure] = []
    talk.running.addErrback(failures.append)
    talk.says("220 mx ESMTP")
    talk.running.cancel()
    [failure] = failures
    assert failure.check(CancelledError)
    assert talk.line().transport.is_gone


def test_a_session_says_what_it_is() -> None:
    talk = Talk(SentMail([mail()]))
    talk.greet("PIPELINING")
    talk.says("250 Ok", "250 Ok", "354 Go")
    assert talk.session is not None
    assert talk.session.is_open
    assert (talk.session.tls, talk.session.tls_failure, talk.session.messages) == ("", "", 1)


def fails_at_tls(hosts: MemoryHosts) -> None:
    """Let the host fail at TLS, and take mail in clear."""
    talk = Talk(SentMail([]), hosts=hosts)
    up_to_tls(talk)
    talk.line().break_tls()
    talk.line(2).send([b"220 mx ESMTP\r\n"])
    talk.line(2).send([b"250-mx\r\n250 STARTTLS\r\n"])


def offers_tls(hosts: MemoryHosts, number: int, level: TlsLevel = TlsLevel.MAY) -> bytes:
    """Return what the client says to the n-th connection, whose host offers TLS."""
    talk = Talk(SentMail([mail()]), replace(SETTINGS, demand=Demand(level)), hosts)
    talk.line(number).send([b"220 mx ESMTP\r\n"])
    talk.line(number).send([b"250-mx\r\n250 STARTTLS\r\n"])
    return talk.line(number).take()


def test_that_tls_fails_is_remembered_for_a_day() -> None:
    hosts = MemoryHosts()
    fails_at_tls(hosts)
    assert offers_tls(hosts, 3).endswith(b"MAIL FROM:<alice@example.org>\r\n")
    hosts.time.advance(REMEMBER_SECONDS)
    assert offers_tls(hosts, 4).endswith(b"STARTTLS\r\n")


def test_it_is_never_remembered_against_who_demands_tls() -> None:
    hosts = MemoryHosts()
    fails_at_tls(hosts)
    assert offers_tls(hosts, 3, TlsLevel.ENCRYPT).endswith(b"STARTTLS\r\n")


def test_it_is_not_remembered_of_a_host_that_fails_in_clear_too() -> None:
    hosts = MemoryHosts()
    talk = Talk(SentMail([]), hosts=hosts)
    up_to_tls(talk)
    talk.line().break_tls()
    talk.line(2).send([b"554 Go away\r\n"])
    assert talk.end is not None
    assert talk.end.tls_failure
    assert offers_tls(hosts, 3).endswith(b"STARTTLS\r\n")


def test_so_many_hosts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twisted_mail.smtp.dialogue.tries.MAX_HOSTS", 2)
    broken = BrokenTls(MemoryHosts().clock)
    hops = [NextHop(name, "192.0.2.1") for name in ("one", "two", "three")]
    for hop in [*hops, hops[-1]]:
        broken.note(hop, f"at {hop.host}")
    assert [broken.why(hop) for hop in hops] == ["", "at two", "at three"]


class _Gone:
    """Connects, and counts how often nothing was left."""

    def __init__(self, refuses: bool = False) -> None:
        self.hosts, self.times = MemoryHosts(), 0
        self.hosts.refuses = refuses
        connecting = self.hosts.client.connect(HOP, SETTINGS, self._note)
        self.found: list[ClientSession | Attempt] = []
        Deferred.fromCoroutine(connecting).addCallback(self.found.append)

    def _note(self) -> None:
        self.times += 1


def test_nothing_is_left_once_the_host_has_closed_after_quit() -> None:
    gone = _Gone()
    line = MemoryServerLine(gone.hosts, 1)
    line.send([b"220 mx ESMTP\r\n"])
    line.send([b"250 mx\r\n"])
    [session] = gone.found
    assert isinstance(session, ClientSession)
    session.close()
    assert line.take().endswith(b"QUIT\r\n")
    assert gone.times == 0
    line.send([b"221 Bye\r\n"])
    line.close()
    assert gone.times == 1


def test_something_is_left_of_a_host_that_has_refused_until_it_has_closed() -> None:
    gone = _Gone()
    line = MemoryServerLine(gone.hosts, 1)
    line.send([b"554 No\r\n"])
    assert isinstance(gone.found[0], Attempt)
    assert line.take() == b"QUIT\r\n"
    assert gone.times == 0
    line.close()
    assert gone.times == 1


def test_nothing_is_left_where_no_connection_is_had() -> None:
    assert _Gone(refuses=True).times == 1


def test_a_second_try_is_not_the_end_of_the_first() -> None:
    gone = _Gone()
    first = MemoryServerLine(gone.hosts, 1)
    first.send([b"220 mx\r\n"])
    first.close()  # at EHLO
    assert gone.times == 0
    second = MemoryServerLine(gone.hosts, 2)
    second.close()
    assert gone.times == 1


def test_what_is_demanded_and_proven_is_told_in_the_attempt() -> None:
    demand = Demand(TlsLevel.VERIFY, Whence.MTA_STS)
    talk = Talk(SentMail([mail()]), replace(SETTINGS, demand=demand))
    up_to_tls(talk)
    talk.line().start_tls()
    talk.says("250-mx", "250 PIPELINING")
    talk.says("250 Ok", "250 Ok", "354 Go")
    talk.says("250 Ok")
    [(_, _, attempt)] = talk.supply.attempts
    assert (attempt.demanded, attempt.proven) == ("verify/mta-sts", "name")


def test_clear_text_after_tls_has_failed_proves_nothing() -> None:
    talk = Talk(SentMail([mail()]))
    up_to_tls(talk)
    break_tls_and_take_mail(talk)
    [(_, _, attempt)] = talk.supply.attempts
    assert (attempt.demanded, attempt.proven) == ("may", "nothing")


def test_nothing_is_sent_to_a_host_that_has_proven_less_than_is_demanded() -> None:
    hosts = MemoryHosts()
    hosts.tls.liars.add("mx.remote.example")
    talk = Talk(SentMail([mail()]), replace(SETTINGS, demand=Demand(TlsLevel.VERIFY)), hosts=hosts)
    up_to_tls(talk)
    talk.line().start_tls()
    talk.says("250-mx", "250 PIPELINING")
    assert talk.end is not None
    assert (talk.end.outcome.enhanced, talk.end.reply_class) == ("4.7.5", ReplyClass.TLS)
    assert talk.end.demanded == "verify"
    assert b"MAIL" not in talk.heard()


BINDING = Demand(TlsLevel.VERIFY, Whence.SENDER, is_host_certain=True, is_binding=True)


def test_a_message_that_requires_tls_says_so_to_the_host() -> None:
    one = mail()
    job = replace(one.job, mail_parameters=MailParameters(requires_tls=True))
    talk = Talk(SentMail([replace(one, job=job)]), replace(SETTINGS, demand=BINDING))
    up_to_tls(talk)
    talk.line().start_tls()
    talk.says("250-mx", "250-REQUIRETLS", "250 PIPELINING")
    assert b"MAIL FROM:<alice@example.org> REQUIRETLS\r\n" in talk.heard()


def test_a_host_without_requiretls_gets_no_message_that_requires_tls() -> None:
    talk = Talk(SentMail([mail()]), replace(SETTINGS, demand=BINDING))
    up_to_tls(talk)
    talk.line().start_tls()
    talk.says("250-mx", "250 PIPELINING")
    assert talk.end is not None
    assert (talk.end.outcome.enhanced, talk.end.reply_class) == ("4.7.30", ReplyClass.TLS)
    assert talk.heard().endswith(b"QUIT\r\n")

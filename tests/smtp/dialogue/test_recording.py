"""What is kept of dialogues with other hosts."""

from dataclasses import replace

import pytest

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import SETTINGS, MemoryHosts, Talk, mail
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.journey.dialogue import Dialogue
from twisted_mail.smtp.dialogue.recording import MAX_PART, SpokenPart
from twisted_mail.smtp.dialogue.replies import Reply

SECRET = "AGFsaWNlAHNlY3JldA=="  # of alice, whose password is secret


def shown(dialogue: Dialogue) -> list[str]:
    return [f"{one.side}: {one.text}" for one in dialogue.lines]


def begun(*messages, **settings) -> Talk:
    talk = Talk(SentMail(list(messages)), replace(SETTINGS, **settings))
    talk.greet("PIPELINING")
    return talk


def test_a_refusal_is_kept_with_what_led_to_it() -> None:
    talk = begun(mail())
    talk.line().pass_time(2)
    talk.says("250 Ok", "550-5.1.1 No such user", "550 5.1.1 here", "554 None")
    [(transaction, _, attempt)] = talk.supply.attempts
    [kept] = talk.hosts.dialogues
    assert (kept.id, kept.message) == (attempt.dialogue, transaction.job.id)
    assert (kept.host, kept.address, kept.use) == ("mx.remote.example", "192.0.2.25", 1)
    texts = shown(kept)
    assert texts[0].startswith("S: 220 ")
    assert texts[1] == "C: EHLO mail.example.org"
    at = texts.index("C: DATA")
    assert texts[at - 2].startswith("C: MAIL FROM:<")
    assert texts[at + 1 :] == [
        *("S: 250 Ok", "S: 550-5.1.1 No such user", "S: 550 5.1.1 here", "S: 554 None"),
    ]
    assert kept.lines[-1].at - kept.lines[0].at >= 2


def test_a_success_is_not_kept_unless_all_are() -> None:
    for keeps_all in (False, True):
        hosts = MemoryHosts()
        hosts.keeps_all = keeps_all
        talk = Talk(SentMail([mail()]), hosts=hosts)
        talk.greet("PIPELINING")
        talk.says("250 Ok", "250 Ok", "354 Go")
        talk.says("250 2.0.0 Ok: queued as 4F")
        [(_, _, attempt)] = talk.supply.attempts
        assert bool(attempt.dialogue) is keeps_all
        assert [shown(one)[-1] for one in hosts.dialogues] == (
            ["S: 250 2.0.0 Ok: queued as 4F"] if keeps_all else []
        )


def test_the_content_is_counted_and_not_kept() -> None:
    talk = begun(mail())
    talk.says("250 Ok", "250 Ok", "354 Go")
    talk.says("554 5.7.1 Spam")
    [kept] = talk.hosts.dialogues
    size = mail().message.size
    assert shown(kept)[-2:] == [f"C: ({size} octets of content)", "S: 554 5.7.1 Spam"]


def test_each_message_of_a_connection_has_its_own_part() -> None:
    talk = begun(mail(), mail())
    talk.says("250 Ok", "450 Later", "554 None")
    talk.says("250 Reset", "250 Ok", "550 Never", "554 None")
    one, other = talk.hosts.dialogues
    assert (one.use, other.use) == (1, 2)
    assert "S: 450 Later" in shown(one)
    assert "S: 550 Never" not in shown(one)
    assert "S: 450 Later" not in shown(other)
    assert shown(other)[:2] == shown(one)[:2]


def test_a_connection_that_breaks_is_kept_with_that() -> None:
    talk = begun(mail())
    talk.says("250 Ok")
    talk.line().close()
    [(_, _, attempt)] = talk.supply.attempts
    [kept] = talk.hosts.dialogues
    assert kept.id == attempt.dialogue
    assert shown(kept)[-1] == "S: (The connection was lost before the answer came)"
    assert talk.end is not None
    assert talk.end.dialogue == kept.id


def test_an_opening_that_fails_is_kept_without_a_message() -> None:
    talk = Talk(SentMail([mail()]))
    talk.line().send([b"554-No mail\r\n", b"554 from you\r\n"])
    assert talk.end is not None
    [kept] = talk.hosts.dialogues
    assert (kept.id, kept.message, kept.use) == (talk.end.dialogue, "", 0)
    assert shown(kept)[:2] == ["S: 554-No mail", "S: 554 from you"]


def test_passwords_and_what_answers_them_are_left_out() -> None:
    login = Credentials("alice", "open sesame 42")
    talk = Talk(SentMail([mail()]), replace(SETTINGS, login=login, trusts_unproven=True))
    talk.greet("STARTTLS")
    talk.says("220 Go")
    talk.line().start_tls()
    talk.says("250-mx", "250 AUTH PLAIN")
    talk.says("535 5.7.8 open sesame 42 is wrong")
    [kept] = talk.hosts.dialogues
    assert "sesame" not in repr(kept)
    texts = shown(kept)
    assert "C: (starts TLS)" in texts
    assert "C: AUTH PLAIN (hidden)" in texts
    assert "S: 535 (its words are not kept: they may repeat the password)" in texts


def test_a_part_is_bounded_whatever_the_host_says() -> None:
    part = SpokenPart()
    for _ in range(1000):
        part.heard(1.0, Reply(250, [b"x" * 2000]))
        part.sent(1.0, b"RCPT TO:<a@b.example>\r\n")
    lines = list(part.lines(0.0))
    assert sum(len(one.text) for one in lines) < MAX_PART + 3000
    assert lines[-1].text == "(the rest is left out)"
    assert [one.text for one in lines].count("(the rest is left out)") == 1


def test_odd_octets_are_kept_and_time_never_goes_back() -> None:
    part = SpokenPart()
    part.heard(5.0, Reply(550, [b"\xff\x1b[2J"]))
    [line] = part.lines(10.0)
    assert line.at == 0.0
    assert line.text.encode("utf-8", "surrogateescape") == b"550 \xff\x1b[2J"


@pytest.mark.parametrize(
    "answer",
    [
        f"421 4.7.0 Too many errors: AUTH PLAIN {SECRET}",
        f"AUTH PLAIN {SECRET}",
        f"535 5.7.8 No\r\n500 5.5.2 What is {SECRET}?",
    ],
    ids=["closing", "echo", "twice"],
)
def test_a_host_that_repeats_the_password_does_not_bring_it_anywhere(answer: str) -> None:
    talk = Talk(
        SentMail([mail()]),
        replace(SETTINGS, login=Credentials("alice", "secret"), trusts_unproven=True),
    )
    talk.greet("STARTTLS")
    talk.says("220 Go")
    talk.line().start_tls()
    talk.says("250-mx", "250 AUTH PLAIN")
    talk.says(*answer.split("\r\n"))
    assert talk.end is not None
    assert SECRET[:12] not in repr(talk.end)
    for kept in talk.hosts.dialogues:
        assert not [one for one in shown(kept) if SECRET[:12] in one]

from datetime import UTC, datetime

import pytest

from tests.smtp.fakes import LOGIN, PROMISES, SUBMISSION, FakeQueue, SmtpFixture, say
from twisted_mail.mail.envelope import DeliverBy, FutureRelease, MailParameters
from twisted_mail.smtp.settings import SubmissionSettings

NOW = 1_000_000_000.0  # 2001-09-09T01:46:40Z
OWN = "MAIL FROM:<alice@example.org>"
DAY = SubmissionSettings(max_hold=86400)


def reply(parameters: str, settings: SubmissionSettings = DAY) -> str:
    smtp = SmtpFixture(queue=FakeQueue(PROMISES))
    return say("EHLO c", LOGIN, f"{OWN} {parameters}", smtp=smtp, settings=settings)[-1]


def mail_parameters(parameters: str, settings: SubmissionSettings = DAY) -> MailParameters:
    smtp = SmtpFixture(queue=FakeQueue(PROMISES))
    rcpt = "RCPT TO:<bob@example.org>"
    said = ("EHLO c", LOGIN, f"{OWN} {parameters}", rcpt, "DATA", ".")
    say(*said, smtp=smtp, settings=settings)
    return smtp.queue.accepted[0][0].mail_parameters


def test_ehlo_says_how_long_messages_are_held() -> None:
    lines = say("EHLO c", smtp=SmtpFixture(queue=FakeQueue(PROMISES)), settings=DAY)
    assert "250-FUTURERELEASE 86400 2001-09-10T01:46:40Z" in lines
    assert "250-DELIVERBY 60" in lines
    assert "250-MT-PRIORITY" in lines


def test_on_port_25_none_of_this_is_offered() -> None:
    lines = "\n".join(say("EHLO c", smtp=SmtpFixture(queue=FakeQueue(PROMISES))))
    assert "FUTURERELEASE" not in lines
    assert "DELIVERBY" not in lines
    assert "MT-PRIORITY" not in lines


@pytest.mark.parametrize("parameter", ["HOLDFOR=1", "BY=60;R", "MT-PRIORITY=-1"])
def test_nor_where_nobody_keeps_it(parameter: str) -> None:
    said = say("EHLO c", LOGIN, f"{OWN} {parameter}", settings=SUBMISSION)
    assert said[-1].startswith("555 5.5.4")


# ------------------------------------------------------------ FUTURERELEASE (RFC 4865)


def test_a_message_is_held_for_seconds() -> None:
    assert mail_parameters("HOLDFOR=3600").future_release == FutureRelease(NOW + 3600, "for;3600")


@pytest.mark.parametrize("zone", ["Z", "z", "+00:00"])
def test_a_message_is_held_until_a_moment(zone: str) -> None:
    moment = f"2001-09-09T02:00:00{zone}"
    until = datetime(2001, 9, 9, 2, tzinfo=UTC).timestamp()
    assert mail_parameters(f"HOLDUNTIL={moment}").future_release == FutureRelease(
        until, f"until;{moment}"
    )


@pytest.mark.parametrize(
    "parameters",
    [
        "HOLDFOR",
        "HOLDFOR=0",
        "HOLDFOR=-1",
        "HOLDFOR=1.5",
        "HOLDFOR=86401",
        "HOLDFOR=9999999999",
        "HOLDUNTIL",
        "HOLDUNTIL=2001-09-09",
        "HOLDUNTIL=2001-09-09T02:00:00",
        "HOLDUNTIL=2001-09-09T02:00:00+01:00",
        "HOLDUNTIL=2001-13-09T02:00:00Z",
        "HOLDUNTIL=2001-09-09T25:00:00Z",
        "HOLDUNTIL=2001-09-09T01:46:40Z",
        "HOLDUNTIL=2001-09-10T01:46:41Z",
        "HOLDUNTIL=0000-09-10T01:46:41Z",
        "HOLDFOR=1 HOLDUNTIL=2001-09-09T02:00:00Z",
    ],
)
def test_what_is_no_time_to_hold(parameters: str) -> None:
    assert reply(parameters).startswith("501 5.5.4")


# ------------------------------------------------------------ DELIVERBY (RFC 2852)


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        ("60;R", DeliverBy(NOW + 60, is_returned=True)),
        ("+120;rt", DeliverBy(NOW + 120, is_returned=True, is_traced=True)),
        ("0;N", DeliverBy(NOW, is_returned=False)),
        ("-999999999;NT", DeliverBy(NOW - 999999999, is_returned=False, is_traced=True)),
    ],
)
def test_times_to_deliver_by(value: str, wish: DeliverBy) -> None:
    assert mail_parameters(f"BY={value}").deliver_by == wish


@pytest.mark.parametrize(
    "value", ["", "=1", "=60", "=60;X", "=60;RX", "=;R", "=1234567890;R", "=0;R", "=-1;R", "=6 0;R"]
)
def test_what_is_no_time_to_deliver_by(value: str) -> None:
    assert reply(f"BY{value}").startswith("501 5.5.4")


def test_less_than_the_least_time_cannot_be_promised() -> None:
    assert reply("BY=59;R").startswith("555 5.5.4")
    assert reply("BY=59;N").startswith("250")


def test_nothing_is_held_for_longer_than_it_has() -> None:
    assert reply("HOLDFOR=100 BY=100;R").startswith("250")
    assert reply("HOLDFOR=101 BY=100;R").startswith("501 5.5.4")


# ------------------------------------------------------------ MT-PRIORITY (RFC 6710)


@pytest.mark.parametrize("value", ["", "=10", "=-0", "=+1", "=01", "=x", "=-10"])
def test_what_is_no_priority(value: str) -> None:
    assert reply(f"MT-PRIORITY{value}").startswith("501 5.5.2")


def test_anybody_may_be_less_urgent() -> None:
    assert reply("MT-PRIORITY=-9").startswith("250 2.1.0")
    assert mail_parameters("MT-PRIORITY=-9").priority == -9


def test_a_higher_priority_than_allowed_is_lowered_and_the_client_told() -> None:
    assert reply("MT-PRIORITY=3").startswith("250 2.3.6 0 ")
    assert mail_parameters("MT-PRIORITY=3").priority == 0


def test_a_priority_that_is_allowed_stays() -> None:
    settings = SubmissionSettings(max_priority=4)
    assert reply("MT-PRIORITY=4", settings).startswith("250 2.1.0")
    assert mail_parameters("MT-PRIORITY=4", settings).priority == 4
    assert mail_parameters("MT-PRIORITY=9", settings).priority == 4


def test_no_priority_is_higher_than_9() -> None:
    with pytest.raises(ValueError, match=r"^max_priority is 9 at most$"):
        SubmissionSettings(max_priority=10)

from tests.smtp.fakes import HELLO, SmtpFixture, say
from twisted_mail.mail.outcome import Outcome, Unavailable

FULL = Outcome(552, "5.2.2", "The account has no room for this.")
MAIL = "MAIL FROM:<a@client.example> SIZE=1234"
EHLO = "EHLO client.example"
ALICE, BOB = "alice@example.org", "bob@example.org"


def asked(*recipients, mail=MAIL, **full):
    smtp = SmtpFixture()
    smtp.queue.full = {f"{name}@example.org": outcome for name, outcome in full.items()}
    said = say(EHLO, mail, *(f"RCPT TO:<{one}>" for one in recipients), smtp=smtp)
    return said[-len(recipients) :], smtp


def test_a_full_account_is_told_before_the_message_comes():
    said, smtp = asked(ALICE, BOB, alice=FULL)
    assert said == [
        "552 5.2.2 The account has no room for this.",
        "250 2.1.5 Recipient ok",
    ]
    assert smtp.queue.asked_room == [((ALICE,), 1234), ((BOB,), 1234)]


def test_without_a_size_any_room_will_do():
    _, smtp = asked(ALICE, mail="MAIL FROM:<a@client.example>")
    assert smtp.queue.asked_room == [((ALICE,), 1)]


def test_a_queue_that_cannot_say_defers():
    smtp = SmtpFixture()

    async def check_quota(accounts, size):
        raise Unavailable(Outcome(451, "4.3.0", "not now"))

    smtp.queue.check_quota = check_quota
    assert say(HELLO, "MAIL FROM:<>", f"RCPT TO:<{ALICE}>", smtp=smtp)[-1] == "451 4.3.0 not now"

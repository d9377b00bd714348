from tests.smtp.fakes import SmtpFixture
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import (
    ACCEPT,
    AddField,
    AddRecipient,
    ChangeSender,
    Decision,
    DropRecipient,
    FilterStage,
    Verdict,
    defer,
    refuse,
)
from twisted_mail.smtp.settings import SubmissionSettings
from twisted_mail.testing.wire import TIMEOUT, ScriptedWire

HEADER = b"Subject: hello\r\n"
CONVERSATION = (
    (
        b"EHLO client.example\r\n"
        b"MAIL FROM:<a@client.example> SIZE=100\r\n"
        b"RCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n"
        b"DATA\r\n"
    ),
    HEADER + b"\r\nwords\r\n.\r\nQUIT\r\n",
)


class Judge:
    """A filter with a verdict for each stage; keeps what it could see."""

    stages = tuple(FilterStage)

    def __init__(self, **verdicts):
        self.verdicts = verdicts
        self.seen = []
        self.heard = []

    async def judge(self, stage, context):
        self.seen.append(
            (stage.value, context.hello, str(context.sender), str(context.recipient or ""))
        )
        self.context = context
        return self.verdicts.get(stage.value, ACCEPT)

    def ended(self, context, is_over):
        self.heard.append(is_over)


def held(judge, *chunks, ending=TIMEOUT):
    smtp = SmtpFixture(filters=[judge])
    return smtp.hold(ScriptedWire(chunks or CONVERSATION, ending)), smtp


def test_a_filter_sees_the_conversation_grow():
    judge = Judge()
    _, smtp = held(judge)
    assert judge.seen == [
        ("connect", "", "", ""),
        ("hello", "client.example", "", ""),
        ("sender", "client.example", "a@client.example", ""),
        ("recipient", "client.example", "a@client.example", "alice@example.org"),
        ("recipient", "client.example", "a@client.example", "bob@example.org"),
        ("message", "client.example", "a@client.example", ""),
    ]
    assert judge.context.header == HEADER
    assert judge.context.declared_size == 100
    assert list(judge.context.recipients) == [parse("alice@example.org"), parse("bob@example.org")]
    assert judge.context.id == smtp.queue.accepted[0][0].id


def test_a_filter_sees_at_hello_who_has_logged_in():
    class Door(Judge):
        async def judge(self, stage, context):
            self.seen.append((stage.value, context.submitter))
            return ACCEPT

    door = Door()
    smtp = SmtpFixture(filters=[door])
    said = b"EHLO a\r\nAUTH PLAIN YWxpY2Ugc2VjcmV0\r\nEHLO a\r\n"
    smtp.hold(ScriptedWire([said], TIMEOUT), SubmissionSettings())
    assert door.seen == [("connect", ""), ("hello", ""), ("hello", "alice@example.org")]


def test_a_client_that_is_not_wanted_is_not_greeted():
    lines, smtp = held(Judge(connect=refuse("listed")))
    assert lines == ["554 5.7.1 Refused for reasons of policy"]
    assert [reason for _, _, reason in smtp.events("disconnected")] == ["policy"]
    lines, _ = held(Judge(connect=defer("too many", Outcome(450, "4.7.0", "Not so fast"))))
    assert lines == ["421 4.7.0 Not so fast"]


def test_a_name_that_is_refused_has_not_been_said():
    lines, _ = held(Judge(hello=refuse("no such host")))
    assert lines[1] == "550 5.7.1 Refused for reasons of policy"
    assert lines[2].startswith("503 5.5.1 Say EHLO first")


def test_a_refused_sender_opens_no_transaction():
    judge = Judge(sender=refuse("bad sender"))
    lines, smtp = held(judge)
    assert "550 5.7.1 Refused for reasons of policy" in lines
    assert not smtp.queue.accepted
    assert judge.heard == [False, True]


def test_a_refused_recipient_is_not_among_them():
    class OnlyAlice(Judge):
        async def judge(self, stage, context):
            is_other = stage is FilterStage.RECIPIENT and context.recipient.local != "alice"
            return defer("greylisted") if is_other else ACCEPT

    lines, smtp = held(OnlyAlice())
    assert "450 4.7.1 Not now, for reasons of policy; try again later" in lines
    ((envelope, _),) = smtp.queue.accepted
    assert envelope.recipients == (parse("alice@example.org"),)


def test_an_unknown_recipient_is_not_asked_about():
    judge = Judge()
    held(judge, b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\nQUIT\r\n")
    assert "recipient" not in [stage for stage, *_ in judge.seen]


def test_a_refused_message_is_not_taken():
    lines, smtp = held(Judge(message=refuse("virus", Outcome(554, "5.7.1", "A virus"))))
    assert "554 5.7.1 A virus" in lines
    assert not smtp.queue.accepted


def test_a_discarded_message_is_taken_and_gone():
    lines, smtp = held(Judge(message=Verdict(Decision.DISCARD, "loop")))
    assert any(line.startswith("250 2.0.0 Ok: queued as") for line in lines)
    assert not smtp.queue.accepted


def test_a_quarantined_message_is_marked_and_says_why():
    _, smtp = held(Judge(message=Verdict(Decision.QUARANTINE, "smells\r\nof: ham")))
    ((envelope, message),) = smtp.queue.accepted
    assert envelope.is_quarantined
    assert message.prefix.startswith(
        b"X-Verdict: quarantine (filter0: smells__of: ham)\r\nReceived:"
    )


def test_edits_add_fields_and_alter_the_envelope():
    edits = (
        AddField("X-One", "1"),
        AddField("X-Two", "2"),
        ChangeSender(NULL),
        AddRecipient(parse("carol@example.org")),
        DropRecipient(parse("alice@example.org")),
    )
    _, smtp = held(Judge(message=Verdict(edits=edits)))
    ((envelope, message),) = smtp.queue.accepted
    assert message.prefix.startswith(b"X-Two: 2\r\nX-One: 1\r\nReceived:")
    assert envelope.sender == NULL
    assert envelope.recipients == (parse("bob@example.org"), parse("carol@example.org"))


def test_filters_hear_when_a_transaction_ends_and_when_all_is_over():
    judge = Judge()
    held(judge)
    assert judge.heard == [False, True]
    judge = Judge()
    held(judge, b"EHLO a\r\nMAIL FROM:<>\r\nRSET\r\nRSET\r\n")
    assert judge.heard == [False, True]


def test_a_name_that_a_filter_has_confirmed_is_in_the_trace():
    class Namer(Judge):
        async def judge(self, stage, context):
            context.reverse_name = "mx.client.example"
            return ACCEPT

    _, smtp = held(Namer())
    assert smtp.prefix.startswith(b"Received: from client.example (mx.client.example [192.0.2.1])")


def test_helo_is_refused_as_ehlo_is():
    lines, _ = held(Judge(hello=refuse("no such host")), b"HELO client.example\r\nMAIL FROM:<>\r\n")
    assert [line[:9] for line in lines[1:3]] == ["550 5.7.1", "503 5.5.1"]

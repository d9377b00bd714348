import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy import contexts
from twisted_mail.interfaces import HttpResponse, TlsInfo
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.mime.edited_message import MAX_HEADER
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import (
    ACCEPT,
    AddField,
    ChangeBody,
    ChangeField,
    Decision,
    FilterStage,
    Verdict,
)
from twisted_mail.policy.scanners.rspamd import RspamdFilter, RspamdSettings
from twisted_mail.policy.scanners.rspamd_result import MAX_EDITS, parse_rspamd_result
from twisted_mail.testing.doubles import InlineBlocking, finish

HEADER = b"Subject: hello\r\nX-A: 1\r\nx-a: 2\r\n"
TRACE = b"Received: x\r\n"


class FakePosting:
    def __init__(self, answer, status=200):
        self.answer, self.status = answer, status
        self.asked = []

    async def post(self, url, fields, size, body, limit):
        data = b"".join([piece async for piece in body])
        assert len(data) == size
        self.asked.append((url, fields, data))
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return HttpResponse(self.status, body)


def context():
    found = contexts.context()
    found.id, found.header = "id1", HEADER
    found.recipients = [parse("alice@example.org"), parse("bob@example.org")]
    found.message = Message(MemoryBlob(HEADER + b"\r\nwords\r\n"), TRACE)
    return found


def judged(answer, who=None, status=200, **options):
    http_client = FakePosting(answer, status)
    asked = RspamdFilter(
        RspamdSettings(**options), "mail.example.org", http_client, InlineBlocking()
    )
    return finish(asked.judge(FilterStage.MESSAGE, who or context())), http_client


def answer(action, **more):
    return {"action": action, "score": 7.5, "required_score": 15, **more}


def test_the_message_is_sent_with_what_is_known_of_it():
    who = context()
    who.submitter, who.reverse_name = "alice@example.org", "client.example"
    who.tls_info = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)
    found, http_client = judged(answer("no action"), who, url="http://127.0.0.1:11333/")
    assert found.decision is Decision.ACCEPT
    [(url, fields, data)] = http_client.asked
    assert url == "http://127.0.0.1:11333/checkv2"
    assert fields == [
        ("Queue-Id", "id1"),
        ("MTA-Name", "mail.example.org"),
        ("From", "a@client.example"),
        ("Rcpt", "alice@example.org"),
        ("Rcpt", "bob@example.org"),
        ("Helo", "client.example"),
        ("IP", "192.0.2.1"),
        ("Hostname", "client.example"),
        ("User", "alice@example.org"),
        ("TLS-Version", "TLSv1.3"),
        ("TLS-Cipher", "TLS_AES_256_GCM_SHA384"),
    ]
    assert data == TRACE + HEADER + b"\r\nwords\r\n"


def test_what_filters_before_have_edited_is_sent():
    who = context()
    who.verdicts.append(("other", Verdict(edits=(AddField("X-B", "1"), ChangeBody(b"new")))))
    _, http_client = judged(answer("no action"), who)
    assert http_client.asked[0][2] == b"X-B: 1\r\n" + TRACE + HEADER + b"\r\nnew"


def test_what_a_client_sends_adds_no_field():
    who = context()
    who.hello, who.sender = "a\r\nIP: 127.0.0.1\x00", NULL
    who.peer = type(who.peer)("", 0)
    _, http_client = judged(answer("no action"), who)
    fields = dict(http_client.asked[0][1])
    assert fields["Helo"] == "a__IP: 127.0.0.1_"
    assert fields["From"] == ""
    assert "IP" not in fields


@pytest.mark.parametrize(
    ("action", "decision"),
    [
        ("no action", Decision.ACCEPT),
        ("greylist", Decision.ACCEPT),
        ("add header", Decision.QUARANTINE),
        ("rewrite subject", Decision.QUARANTINE),
        ("soft reject", Decision.DEFER),
        ("reject", Decision.REFUSE),
        ("discard", Decision.DISCARD),
        ("quarantine", Decision.QUARANTINE),
        ("something new", Decision.ACCEPT),
    ],
)
def test_actions_are_done(action, decision):
    assert judged(answer(action))[0].decision is decision


def test_settings_say_what_is_done():
    assert judged(answer("reject"), reject="quarantine")[0].decision is Decision.QUARANTINE
    assert judged(answer("greylist"), greylist="defer")[0].answer == Outcome(
        450, "4.7.1", "Not now; try again later"
    )


def test_the_client_is_told_what_rspamd_wants_it_told():
    found, _ = judged(answer("reject", messages={"smtp_message": "Gtube\r\npattern"}))
    assert found.answer == Outcome(554, "5.7.1", "Gtube__pattern")
    assert judged(answer("soft reject"))[0].answer.code == 450


def test_the_reason_names_what_counted_most():
    symbols = {"A": {"score": 1}, "B": {"score": -2.5}, "C": {"score": 0}, "D": "odd"}
    assert judged(answer("add header", symbols=symbols))[0].reason == (
        "add header, score 7.5 of 15.0 B=-2.5 A=1"
    )


def test_fields_are_added_removed_and_signed():
    milter = {
        "add_headers": {
            "X-One": "1",
            "X-Two": {"value": "a;\n\tb", "order": 1},
            "X-Three": [{"value": "3", "order": -1}, "4", 5, {}],
        },
        "remove_headers": {"X-A": 0, "Subject": -1, "X-None": 1, "X-Odd": "all"},
    }
    found, _ = judged(answer("no action", milter=milter, **{"dkim-signature": "v=1; a"}))
    assert found.edits == (
        ChangeField("X-A", 1, None),
        ChangeField("X-A", 1, None),
        ChangeField("Subject", 1, None),
        AddField("X-One", "1", at_end=True),
        AddField("X-Two", "a;\r\n\tb", place=1),
        AddField("X-Three", "3", at_end=True),
        AddField("X-Three", "4", at_end=True),
        AddField("DKIM-Signature", "v=1; a", place=1),
    )
    assert judged(answer("no action", milter=milter), edits=False)[0].edits == ()
    assert judged(answer("reject", milter=milter))[0].edits == ()
    found, _ = judged(answer("rewrite subject", subject="*** SPAM *** hello"))
    assert found.edits == (ChangeField("Subject", 1, "*** SPAM *** hello"),)


def test_edits_are_bounded():
    many = {"milter": {"add_headers": {"X": ["1"] * 1000}}, "action": "no action"}
    assert len(parse_rspamd_result(many, []).edits) == MAX_EDITS


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"action": 1}', b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_none_is_a_failure(body):
    with pytest.raises(Unavailable):
        judged(body)


def test_an_error_of_the_server_is_a_failure():
    with pytest.raises(Unavailable):
        judged(answer("no action"), status=500)


def test_some_mail_is_not_judged():
    assert judged(answer("reject"), max_size=10)[0] == ACCEPT
    who = context()
    who.submitter = "alice@example.org"
    assert judged(answer("reject"), who, skips_submitted=True)[0] == ACCEPT


def test_a_message_that_cannot_be_edited_is_refused():
    who = context()
    who.header = b"A: " + b"x" * MAX_HEADER
    who.verdicts.append(("other", Verdict(edits=(ChangeBody(b""),))))
    assert judged(answer("no action"), who)[0].answer.code == 552


def test_the_url_is_one():
    bad = [
        "127.0.0.1:11333",
        "http://caf\u00e9",
        "http://",
        "http://:80",
        "http://[::1",
        "http://a b",
    ]
    for url in (*bad, "http://a:99999", "http://a:x", "http://a:0", "file://a", "http://a\n"):
        with pytest.raises(ValueError, match="url"):
            RspamdSettings(url=url)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NAMES = ["action", "score", "symbols", "messages", "milter", "dkim-signature", "subject"]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), VALUES, VALUES)
def test_odd_answers_are_opinions_or_errors(table, added, removed):
    table.setdefault("milter", {"add_headers": added, "remove_headers": removed})
    try:
        opinion = parse_rspamd_result(table, [b"x-a"])
    except ValueError:
        return
    assert opinion.reason.isascii()

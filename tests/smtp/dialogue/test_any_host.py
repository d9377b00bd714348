"""Whatever a host answers, and however often: nothing counts as taken or refused that was not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import Talk, mail
from twisted_mail.mail import address
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.job import QueuedJob, Transaction

# What the host answers to each command; the last ones fit none, or belong to other commands.
ANSWERS = st.sampled_from(["250 Ok"] * 6 + ["450 No", "550 No", "421 Bye", "354 Go", "220 Hi"])
GOOD = st.sampled_from(["250 Ok", "250 Ok", "450 No", "550 No"])
GOOD_TO_DATA = st.sampled_from(["354 Go", "354 Go", "451 No", "554 No"])
TO_DATA = st.sampled_from(["354 Go"] * 6 + ["451 No", "554 No", "250 Ok"])


class AnyHost:
    """A host that takes what it says it takes, but answers some commands twice, or by odd codes.

    Not both: who says 354 to RCPT and is one answer behind as well cannot be told from one in step.
    """

    def __init__(self, data: st.DataObject, errs: bool) -> None:
        self._data = data
        self._errs = errs
        self._repeats = errs and data.draw(st.booleans())
        self._is_odd = errs and not self._repeats
        self._is_content = self._is_open = False
        self._accepted: list[str] = []
        self.taken: set[tuple[bytes, str]] = set()  # message and recipient
        self.refused: set[str] = set()  # permanently: recipients, and domains of senders

    def answers(self, said: bytes) -> list[str]:
        """Return what it answers to what the client has said."""
        found: list[str] = []
        while said:
            if self._is_content:
                content, _, said = said.partition(
                    b"\r\n.\r\n" if said[:3] != b".\r\n" else b".\r\n"
                )
                found += self._take(content)
            else:
                line, _, said = said.partition(b"\r\n")
                found += self._answer(line.decode())
        return found

    def _take(self, content: bytes) -> list[str]:
        self._is_content = False
        reply = self._data.draw(ANSWERS if self._is_odd else GOOD)
        if content and reply.startswith("2"):
            self.taken |= {(content, one) for one in self._accepted}
        self._note(reply, self._accepted)
        return self._repeated(reply)

    def _note(self, reply: str, recipients: list[str]) -> None:
        if reply.startswith("5"):
            self.refused |= set(recipients)

    def _answer(self, line: str) -> list[str]:
        verb, _, rest = line.partition(":")
        if verb in ("QUIT", "RSET"):
            return ["221 Bye"] if verb == "QUIT" else self._repeated("250 Ok")
        if verb != "MAIL FROM" and not (self._is_open or self._errs):
            return ["503 Say MAIL first"]
        if verb == "DATA":
            reply = self._data.draw(TO_DATA if self._is_odd else GOOD_TO_DATA)
            self._is_content = reply.startswith("354")
            self._note(reply, self._accepted)
            return self._repeated(reply)
        reply = self._data.draw(ANSWERS if self._is_odd else GOOD)
        is_good = reply.startswith("2")
        if verb == "MAIL FROM":
            self._accepted, self._is_open = [], is_good
            self._note(reply, [rest.partition("@")[2].strip(">")])
            return self._repeated(reply)
        if is_good:
            self._accepted.append(rest.strip("<>"))
        self._note(reply, [rest.strip("<>")])
        return self._repeated(reply)

    def _repeated(self, reply: str) -> list[str]:
        is_twice = self._repeats and self._data.draw(st.integers(0, 9)) == 0
        return [reply] * (2 if is_twice else 1)


def letter(number: int, recipients: int) -> Transaction:
    plain = mail(", ".join(f"r{n}@m{number}.example" for n in range(recipients)))
    job = QueuedJob(f"m{number}", 0.0, address.parse(f"a@m{number}.example"))
    return Transaction(job, plain.recipients, Message(MemoryBlob(b"Subject: %d\r\n" % number)))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.booleans(), st.booleans(), st.lists(st.integers(1, 3), max_size=4))
def test_no_message_counts_as_taken_or_refused_that_was_not(
    data: st.DataObject, errs: bool, has_pipelining: bool, sizes: list[int]
) -> None:
    supply = SentMail([letter(number, size) for number, size in enumerate(sizes)])
    talk, host = Talk(supply), AnyHost(data, errs)
    talk.says("220 mx ESMTP")
    talk.heard()
    talk.says("250-mx", "250 PIPELINING" if has_pipelining else "250 HELP")
    waiting: list[str] = []  # answers that are on their way
    while not talk.is_over:
        waiting += host.answers(talk.heard())
        if not waiting:
            break
        come = data.draw(st.integers(1, len(waiting))) if errs else len(waiting)
        talk.says(*waiting[:come])
        del waiting[:come]
    if not talk.is_over:
        talk.line().pass_time(2000)
    assert talk.is_over
    noted = {
        (b"Subject: " + t.job.id[1:].encode(), t.recipients[n - 1].address.text)
        for t, n, one in supply.attempts
        if one.outcome.is_success
    }
    assert noted <= host.taken
    is_cut_off = talk.end is not None and talk.end.outcome.code == 421
    for t, n, one in supply.attempts:
        if one.outcome.code >= 500 and not is_cut_off:  # what it said before that is believed
            recipient = t.recipients[n - 1].address
            assert {recipient.text, recipient.domain} & host.refused
    keys = [(t.job.id, n) for t, n, _ in supply.attempts]
    assert len(keys) == len(set(keys))
    if not errs:
        assert talk.end is None
        assert noted == host.taken
        has_quit = talk.session is not None and talk.session._dialogue.has_quit
        assert len(keys) == sum(sizes) or has_quit  # the rest is for another connection

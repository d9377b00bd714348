"""The SASL exchange that SMTP, IMAP and POP3 share (RFC 4422)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from twisted_mail.auth.sasl import LOGIN, PLAIN
from twisted_mail.interfaces import Mechanism
from twisted_mail.interfaces.sasl import MAX_CHALLENGES, authenticate, usable_mechanisms
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.testing.doubles import finish

ALICE = Credentials("alice", "secret")


@dataclass
class Client:
    """Answers challenges, both in Base64."""

    lines: Sequence[bytes]
    challenges: list[bytes] = field(default_factory=list)

    async def __call__(self, challenge: bytes) -> bytes:
        self.challenges.append(challenge)
        return self.lines[len(self.challenges) - 1]


class Endless:
    name, server_first, reveals_password = "ENDLESS", True, False

    def begin(self) -> "Endless":
        return self

    def step(self, response: bytes) -> bytes:
        return b"more"


def test_an_initial_response_may_be_all() -> None:
    client = Client(())
    assert finish(authenticate(PLAIN, b"AGFsaWNlAHNlY3JldA==", client)) == ALICE
    assert client.challenges == []


def test_a_client_that_speaks_first_is_asked_by_an_empty_challenge() -> None:
    client = Client([b"AGFsaWNlAHNlY3JldA=="])
    assert finish(authenticate(PLAIN, None, client)) == ALICE
    assert client.challenges == [b""]


def test_a_server_that_speaks_first_sends_its_challenge_at_once() -> None:
    client = Client([b"YWxpY2U=", b"c2VjcmV0"])
    assert finish(authenticate(LOGIN, None, client)) == ALICE
    assert client.challenges == [b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"]


def test_an_equals_sign_is_an_empty_initial_response() -> None:
    with pytest.raises(ProtocolError, match="three parts"):
        finish(authenticate(PLAIN, b"=", Client(())))


def test_a_star_cancels() -> None:
    with pytest.raises(ProtocolError, match="cancelled") as caught:
        finish(authenticate(LOGIN, None, Client([b"*"])))
    assert (caught.value.outcome.code, caught.value.outcome.enhanced) == (501, "5.7.0")


@pytest.mark.parametrize("text", [b"!", b"AA", b"AAA=BBB", b"=AAA"])
def test_what_is_no_base64_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError, match="Malformed Base64"):
        finish(authenticate(PLAIN, text, Client(())))
    with pytest.raises(ProtocolError, match="Malformed Base64"):
        finish(authenticate(PLAIN, None, Client([text])))


def test_a_star_cancels_nothing_before_the_first_challenge() -> None:
    with pytest.raises(ProtocolError, match="Malformed Base64"):
        finish(authenticate(PLAIN, b"*", Client(())))


def test_an_exchange_comes_to_an_end() -> None:
    client = Client([b"AAAA"] * 99)
    with pytest.raises(ProtocolError, match="too many steps"):
        finish(authenticate(Endless(), None, client))
    assert len(client.challenges) == MAX_CHALLENGES


def test_a_mechanism_that_reveals_the_password_needs_a_line_that_takes_passwords() -> None:
    mechanisms: list[Mechanism] = [PLAIN, Endless()]
    assert usable_mechanisms(mechanisms, takes_passwords=True) == mechanisms
    assert usable_mechanisms(mechanisms, takes_passwords=False) == mechanisms[1:]

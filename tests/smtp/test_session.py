"""What a session knows of its client."""

import pytest

from tests.smtp.arrival.arrivals import arrival
from tests.smtp.fakes import FakeSubmitter
from twisted_mail.smtp import replies
from twisted_mail.smtp.session import Phase
from twisted_mail.testing.wire import ScriptedWire


def test_all_that_a_client_said_is_forgotten_with_its_transaction_and_its_login() -> None:
    session = arrival().session
    submitter = session.submitter = FakeSubmitter()
    assert session.transaction is not None
    session.forget()
    assert (session.hello, session.is_extended) == ("", False)
    assert session.transaction is None
    assert session.submitter is None
    assert submitter.is_logged_out
    assert session.phase is Phase.CONNECTED


@pytest.mark.parametrize(
    ("takes_passwords", "may_start_tls", "refusal"),
    [
        (True, True, replies.LOGIN_NEEDED),
        (True, False, replies.LOGIN_NEEDED),
        (False, True, replies.TLS_NEEDED),
        (False, False, replies.LOGIN_NEEDED),  # nothing that the client does can help
    ],
)
def test_who_can_log_in_only_under_tls_is_told_to_start_it(
    takes_passwords: bool, may_start_tls: bool, refusal: bytes
) -> None:
    session = arrival().session
    session.wire = ScriptedWire(takes_passwords=takes_passwords, may_start_tls=may_start_tls)
    assert session.login_refusal == refusal

"""What a session knows of its client."""

from tests.smtp.arrival.arrivals import arrival
from tests.smtp.fakes import FakeSubmitter
from twisted_mail.smtp.session import Phase


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

from typing import Any

from twisted.internet.task import Clock

from tests.net.connection.test_conversation import Transport
from twisted_mail.interfaces import TlsInfo
from twisted_mail.net.connection.security import HANDSHAKE_SECONDS, ConnectionSecurity

CERTIFICATES: Any = object()
TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)


def test_a_connection_in_clear_has_no_tls() -> None:
    security = ConnectionSecurity(Transport())
    assert not security.is_on
    assert security.info is None
    security.connection_lost()
    assert security.info is None


def test_what_is_known_of_tls_stays_after_the_connection_is_lost() -> None:
    transport, clock = Transport(), Clock()
    security = ConnectionSecurity(transport)
    security.start(CERTIFICATES, clock)
    assert transport.tls_started_with is CERTIFICATES
    security.handshake_completed()
    assert security.info == TLS
    security.connection_lost()
    transport.handle = None
    assert security.info == TLS
    assert not clock.getDelayedCalls()


def test_a_handshake_that_is_not_finished_ends_the_connection() -> None:
    transport, clock = Transport(), Clock()
    security = ConnectionSecurity(transport)
    security.start(CERTIFICATES, clock)
    clock.advance(HANDSHAKE_SECONDS)
    assert transport.aborted

"""TLS as a client: what is sent first, which names count, why a handshake failed."""

import contextlib
from pathlib import Path

import pytest
from OpenSSL import SSL

from tests.whole.next_hops import DAY, NAME, Certified
from twisted_mail.interfaces import TlsFailed
from twisted_mail.mail.trust import ANY_HOST, Demand, Proof, TlsLevel
from twisted_mail.net.client.host_tls import HostTls, HostTlsCreator, why


def verify(*names: str) -> Demand:
    return Demand(TlsLevel.VERIFY, names=names)


def shake(creator: HostTlsCreator, certified: Certified) -> SSL.Connection:
    """Return the client's end after a handshake in memory. Raises SSL.Error."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_privatekey_file(str(certified.file))
    context.use_certificate_file(str(certified.file))
    server = SSL.Connection(context, None)
    server.set_accept_state()
    client = creator.clientConnectionForTLS(None)
    client.set_connect_state()
    for _ in range(4):
        for end, other in ((client, server), (server, client)):
            try:
                end.do_handshake()
            except SSL.WantReadError:
                pass
            finally:
                _move(end, other)
    shake.name = server.get_servername()  # type: ignore[attr-defined]
    return client


def _move(end: SSL.Connection, other: SSL.Connection) -> None:
    with contextlib.suppress(SSL.WantReadError):
        other.bio_write(end.bio_read(1 << 16))


def test_the_name_of_the_host_is_sent(tmp_path: Path) -> None:
    shake(HostTls().creator(NAME, ANY_HOST), Certified(tmp_path, "other.example"))
    assert shake.name == NAME.encode()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "[192.0.2.1]", "2001:db8::1", "[IPv6:2001:db8::1]", ""]
)
def test_an_address_is_no_name(tmp_path: Path, host: str) -> None:
    shake(HostTls().creator(host, ANY_HOST), Certified(tmp_path))
    assert shake.name is None  # type: ignore[attr-defined]


def test_any_certificate_will_do_where_nothing_is_proven(tmp_path: Path) -> None:
    creator = HostTls().creator(NAME, ANY_HOST)
    connection = shake(creator, Certified(tmp_path, "other.example", ends=-DAY))
    assert creator.proof(connection) == Proof(is_encrypted=True)


def test_one_of_the_names_is_enough(tmp_path: Path) -> None:
    certified = Certified(tmp_path)
    creator = HostTls(certified.authority).creator(NAME, verify(*("remote.example", NAME)))
    assert creator.proof(shake(creator, certified)) == Proof(True, (NAME,))


def test_a_name_that_is_not_in_the_certificate_fails(tmp_path: Path) -> None:
    certified = Certified(tmp_path)
    creator = HostTls(certified.authority).creator(NAME, verify(*("remote.example",)))
    with pytest.raises(TlsFailed, match=r"The certificate is not for remote\.example"):
        creator.proof(shake(creator, certified))


@pytest.mark.parametrize(
    ("ends", "is_known", "flaw"),
    [
        (-DAY, True, "The certificate has expired"),
        (DAY, False, "The certificate is signed by itself"),
    ],
)
def test_what_is_wrong_is_told_in_words(
    tmp_path: Path, ends: object, is_known: bool, flaw: str
) -> None:
    certified = Certified(tmp_path, ends=ends)  # type: ignore[arg-type]
    creator = HostTls(certified.authority if is_known else "").creator(NAME, verify(*(NAME,)))
    made: list[SSL.Connection] = []
    make = creator.clientConnectionForTLS
    creator.clientConnectionForTLS = lambda _: made.append(make(None)) or made[0]  # type: ignore[method-assign,assignment,func-returns-value]
    with pytest.raises(SSL.Error) as raised:
        shake(creator, certified)
    assert why(raised.value, made[0]) == flaw


def test_other_errors_have_the_words_of_openssl() -> None:
    error = SSL.Error([("SSL routines", "", "wrong version number")])
    assert why(error, None) == "The TLS handshake failed: wrong version number"
    assert why(ConnectionError(), None) == "The TLS handshake failed: the connection was lost"

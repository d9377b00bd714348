"""What a host proves by its TLSA records, after a handshake in memory."""

import contextlib
from pathlib import Path

import pytest
from OpenSSL import SSL

from tests.net.client.certificates import DAY, SignedCertificate, spki, whole
from twisted_mail.interfaces import TlsFailed
from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.mail.trust import Demand, Proof, TlsLevel
from twisted_mail.net.client.host_tls import HostTls

HOST = "mx.there.example"


class There:
    """A host that shows a certificate, and others behind it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = SignedCertificate(["Root"], is_authority=True)
        self.between = SignedCertificate(["Between"], self.root, is_authority=True)
        self.end = SignedCertificate([HOST], self.between)
        self.chain = [self.between, self.root]
        self.server_name: bytes | None = None

    def proof(self, *records: TlsaRecord, names: tuple[str, ...] = (HOST,)) -> Proof:
        demand = Demand(TlsLevel.DANE, names=names, records=records, server_name="base.example")
        creator = HostTls().creator(HOST, demand)
        return creator.proof(self._shake(creator.clientConnectionForTLS(None)))

    def flaw(self, *records: TlsaRecord, names: tuple[str, ...] = (HOST,)) -> str:
        with pytest.raises(TlsFailed) as raised:
            self.proof(*records, names=names)
        return str(raised.value)

    def _shake(self, client: SSL.Connection) -> SSL.Connection:
        file = str(self.end.write(self._folder, *self.chain))
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_privatekey_file(file)
        context.use_certificate_chain_file(file)
        server = SSL.Connection(context, None)
        server.set_accept_state()
        client.set_connect_state()
        for _ in range(4):
            for end, other in ((client, server), (server, client)):
                with contextlib.suppress(SSL.WantReadError):
                    end.do_handshake()
                with contextlib.suppress(SSL.WantReadError):
                    other.bio_write(end.bio_read(1 << 16))
        self.server_name = server.get_servername()
        return client


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(tmp_path)


NO_FIT = "The certificate fits none of the TLSA records of the host"


def test_the_key_of_the_host(there: There) -> None:
    record = spki(there.end)
    assert there.proof(record) == Proof(True, (), (record,))
    assert there.server_name == b"base.example"


def test_usage_three_asks_for_no_names_dates_or_authorities(there: There) -> None:
    there.end = SignedCertificate(["other.example"], ends=-DAY)
    there.chain = []
    record = whole(there.end, usage=3)
    assert there.proof(record, names=("nobody.example",)) == Proof(True, (), (record,))


def test_another_key_is_no_proof(there: There) -> None:
    assert there.flaw(spki(SignedCertificate([HOST]))) == NO_FIT


def test_usage_three_is_about_the_end_alone(there: There) -> None:
    assert there.flaw(whole(there.root, usage=3)) == NO_FIT


def test_one_record_of_several_is_enough(there: There) -> None:
    records = (spki(SignedCertificate([HOST])), spki(there.end))
    assert there.proof(*records).records == records


@pytest.mark.parametrize("which", ["root", "between", "end"])
def test_an_authority_of_the_chain(there: There, which: str) -> None:
    for record in (whole(getattr(there, which)), spki(getattr(there, which), usage=2)):
        assert there.proof(record) == Proof(True, (HOST,), (record,))


def test_an_authority_that_is_not_shown_is_no_proof(there: There) -> None:
    there.chain = [there.between]
    assert there.flaw(whole(there.root)) == NO_FIT


def test_an_authority_that_is_whole_in_the_record_need_not_be_shown(there: There) -> None:
    there.chain = [there.between]
    record = TlsaRecord(2, 0, 0, there.root.der)
    assert there.proof(record) == Proof(True, (HOST,), (record,))
    assert there.flaw(TlsaRecord(2, 0, 0, b"no certificate")) == NO_FIT


def test_an_authority_that_has_not_signed_it_is_no_proof(there: There) -> None:
    stranger = SignedCertificate(["Stranger"], is_authority=True)
    there.chain = [there.between, there.root, stranger]
    assert there.flaw(whole(stranger)) == NO_FIT


def test_what_an_end_has_signed_is_no_proof(there: There) -> None:
    no_authority = SignedCertificate(["Between"], there.root)
    there.end = SignedCertificate([HOST], no_authority)
    there.chain = [no_authority, there.root]
    assert there.flaw(whole(there.root)) == NO_FIT


def test_usage_two_asks_for_dates(there: There) -> None:
    there.end = SignedCertificate([HOST], there.between, ends=-DAY)
    assert there.flaw(whole(there.root)) == NO_FIT


def test_usage_two_asks_for_a_name(there: There) -> None:
    record = whole(there.root)
    assert there.flaw(record, names=("a.example", "b.example")) == (
        "The certificate is not for a.example, b.example"
    )
    found = there.proof(record, names=("there.example", HOST))
    assert found.names == (HOST,)


def test_names_that_cannot_be_read_are_none(there: There) -> None:
    party = bytes.fromhex("3007a505a1030c0178")  # ediPartyName (RFC 5280 §4.2.1.6)
    there.end = SignedCertificate([HOST], there.between, odd_names=party)
    assert "is not for" in there.flaw(whole(there.root))


def test_a_star_stands_for_one_label(there: There) -> None:
    there.end = SignedCertificate(["*.there.example"], there.between)
    assert there.proof(whole(there.root)).names == (HOST,)
    assert "is not for" in there.flaw(whole(there.root), names=("a.b.there.example",))

"""The decision table: what follows of what is demanded, found and proven."""

from dataclasses import replace

import pytest

from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.mail.trust import Demand, Proof, TlsLevel
from twisted_mail.trust.decision import Course, Found, decide
from twisted_mail.trust.proof import is_enough, may_carry

RECORDS = (TlsaRecord(3, 1, 1, bytes(32)),)
HOST = "mx.example"

DEMANDS = {
    "none": Demand(TlsLevel.NONE),
    "may": Demand(),
    "encrypt": Demand(TlsLevel.ENCRYPT),
    "verify": Demand(TlsLevel.VERIFY, names=(HOST,)),
    "dane": Demand(TlsLevel.DANE, names=(HOST,), records=RECORDS),
}
CLEAR, ENCRYPTED = Proof(), Proof(is_encrypted=True)
NAME = Proof(is_encrypted=True, names=(HOST,))
FITS = Proof(is_encrypted=True, records=RECORDS)

TABLE = """
         no-tls    refused   failed    nothing   name      fits
none     send      send      send      send      send      send
may      clear     clear     again     send      send      send
encrypt  pass      pass      pass      send      send      send
verify   pass      pass      pass      pass      send      pass
dane     pass      pass      pass      pass      pass      send
"""
COLUMNS = {
    "no-tls": (Found.NO_TLS, CLEAR),
    "refused": (Found.REFUSED, CLEAR),
    "failed": (Found.FAILED, CLEAR),
    "nothing": (Found.TLS, ENCRYPTED),
    "name": (Found.TLS, NAME),
    "fits": (Found.TLS, FITS),
}
COURSES = {
    "send": Course.SEND,
    "clear": Course.SEND_IN_CLEAR,
    "again": Course.AGAIN_IN_CLEAR,
    "pass": Course.PASS_OVER,
}
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(row[0], column, cell) for row in ROWS for column, cell in zip(HEAD, row[1:], strict=True)]


@pytest.mark.parametrize(("demanded", "column", "course"), CELLS)
def test_every_cell_of_the_table(demanded: str, column: str, course: str) -> None:
    found, proof = COLUMNS[column]
    assert decide(DEMANDS[demanded], found, proof) is COURSES[course]


def test_the_table_has_every_demand_and_everything_found() -> None:
    assert {row[0] for row in ROWS} == {level.value for level in TlsLevel}
    assert {found for found, _ in COLUMNS.values()} == set(Found)


@pytest.mark.parametrize("proof", [CLEAR, ENCRYPTED, NAME, FITS])
def test_nothing_that_is_demanded_is_met_in_clear(proof: Proof) -> None:
    in_clear = Proof(False, proof.names, proof.records)
    for name in ("encrypt", "verify", "dane"):
        assert not is_enough(in_clear, DEMANDS[name])


def test_another_name_is_no_proof() -> None:
    assert not is_enough(Proof(True, ("other.example",)), DEMANDS["verify"])
    assert is_enough(Proof(True, ("other.example", HOST)), DEMANDS["verify"])


def test_a_demand_without_names_is_met_by_none() -> None:
    assert not is_enough(NAME, Demand(TlsLevel.VERIFY))


def test_other_records_are_no_proof() -> None:
    others = (TlsaRecord(3, 1, 1, bytes(31) + b"1"),)
    assert not is_enough(Proof(True, (), others), DEMANDS["dane"])
    assert not is_enough(Proof(True), Demand(TlsLevel.DANE))


def test_an_authority_of_a_record_needs_a_name_that_is_demanded() -> None:
    assert is_enough(Proof(True, (HOST,), RECORDS), DEMANDS["dane"])
    assert not is_enough(Proof(True, ("there.example",), RECORDS), DEMANDS["dane"])


# ------------------------------------------------------------ connections that are open


@pytest.mark.parametrize(
    ("opened_for", "proof", "carries"),
    [
        ("none", CLEAR, "none"),
        ("may", CLEAR, "none may"),
        ("may", ENCRYPTED, "none may encrypt"),
        ("encrypt", ENCRYPTED, "none may encrypt"),
        ("verify", NAME, "none may encrypt verify"),
        ("dane", FITS, "none may encrypt dane"),
    ],
)
def test_what_an_open_connection_may_carry(opened_for: str, proof: Proof, carries: str) -> None:
    found = [name for name in DEMANDS if may_carry(proof, DEMANDS[opened_for], DEMANDS[name])]
    assert found == carries.split()


# ------------------------------------------------------------ in words


@pytest.mark.parametrize(
    ("proof", "label"),
    [(CLEAR, "nothing"), (ENCRYPTED, "encrypted"), (NAME, "name"), (FITS, "dane")],
)
def test_a_proof_in_a_word(proof: Proof, label: str) -> None:
    assert proof.label == label


def test_what_is_binding_goes_to_hosts_that_offer_requiretls() -> None:
    for name, proof in (("verify", NAME), ("dane", FITS)):
        binding = replace(DEMANDS[name], is_binding=True)
        assert not is_enough(proof, binding)
        assert is_enough(replace(proof, is_binding=True), binding)
        assert decide(binding, Found.TLS, proof) is Course.PASS_OVER

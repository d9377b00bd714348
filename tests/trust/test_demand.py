"""What is demanded of a host: every row of the table."""

from dataclasses import replace

import pytest

from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.mail.trust import Demand, PassedOver, TlsLevel, Whence
from twisted_mail.trust.demand import demand_of, for_sender
from twisted_mail.trust.sts import StsMode, StsPolicy
from twisted_mail.trust.tlsa_lookup import FAILED, NO_RECORDS, TlsaFinding

HOST = "mx.example"
USABLE = TlsaFinding("mx.example", (TlsaRecord(3, 1, 1, bytes(32)),))
UNUSABLE = TlsaFinding("mx.example", (TlsaRecord(1, 1, 1, bytes(32)),))
TLSA = {"-": NO_RECORDS, "usable": USABLE, "unusable": UNUSABLE, "fails": FAILED}


def policy(mode: StsMode, pattern: str = HOST) -> StsPolicy:
    return StsPolicy(mode, 86400, (pattern,))


POLICIES = {
    "-": None,
    "enforced": policy(StsMode.ENFORCE),
    "outside": policy(StsMode.ENFORCE, "*.other.example"),
    "tested": policy(StsMode.TESTING, "*.other.example"),
    "ended": StsPolicy(StsMode.NONE, 86400),
    "given up": policy(StsMode.NONE),
}
TABLE = """
none     usable    outside   none/setting
none     fails     enforced  none/setting
may      fails     -         passed-over
verify   fails     enforced  passed-over
may      -         outside   passed-over
may      usable    outside   passed-over
verify   -         outside   passed-over
may      usable    -         dane
may      usable    enforced  dane
encrypt  usable    -         dane
verify   usable    -         dane
may      unusable  -         encrypt/dane
may      unusable  enforced  verify/mta-sts
encrypt  unusable  -         encrypt/setting
may      -         enforced  verify/mta-sts
encrypt  -         enforced  verify/mta-sts
may      -         -         may/setting
may      -         tested    may/setting
may      -         ended     may/setting
encrypt  -         tested    encrypt/setting
verify   -         -         verify/setting
verify   unusable  enforced  verify/setting
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_every_row_of_the_table(row: str) -> None:
    level, tlsa, sts, wanted = row.split()
    found = demand_of(HOST, TlsLevel(level), Whence.SETTING, TLSA[tlsa], POLICIES[sts])
    assert (found.label if isinstance(found, Demand) else "passed-over") == wanted
    if isinstance(found, PassedOver):
        assert found.outcome.is_temporary  # no policy is ever the end of a message
        assert HOST in found.outcome.text


def test_what_is_usual_has_a_short_name() -> None:
    found = demand_of(HOST, TlsLevel.MAY)
    assert isinstance(found, Demand)
    assert (found.label, found) == ("may", Demand())


def test_a_name_of_the_host_is_demanded_by_a_policy() -> None:
    found = demand_of(HOST, TlsLevel.MAY, policy=POLICIES["enforced"])
    assert found == Demand(TlsLevel.VERIFY, Whence.MTA_STS, (HOST,), is_host_certain=True)


def test_the_names_for_an_authority_of_a_record_begin_with_its_base() -> None:
    tlsa = TlsaFinding("real.example", USABLE.records)
    names = ("there.example", "alias.example", "there.example")
    found = demand_of(HOST, TlsLevel.MAY, tlsa=tlsa, domains=names)
    assert isinstance(found, Demand)
    assert found.names == ("real.example", "there.example", "alias.example")
    assert (found.server_name, found.records) == ("real.example", USABLE.records)


@pytest.mark.parametrize(
    ("sts", "is_mx_authentic", "is_certain"),
    [
        ("-", False, False),
        ("-", True, True),
        ("enforced", False, True),
        ("tested", False, False),
        ("given up", False, False),
    ],
)
def test_whether_the_name_of_the_host_is_certain(
    sts: str, is_mx_authentic: bool, is_certain: bool
) -> None:
    found = demand_of(HOST, TlsLevel.MAY, policy=POLICIES[sts], is_mx_authentic=is_mx_authentic)
    assert isinstance(found, Demand)
    assert found.is_host_certain is is_certain


def test_a_message_that_requires_tls_wants_a_proof_of_a_name_that_is_certain() -> None:
    certain = Demand(is_host_certain=True)
    for doubtful in (Demand(), Demand(TlsLevel.VERIFY, names=(HOST,))):
        found = for_sender(HOST, doubtful)
        assert isinstance(found, PassedOver)
        assert found.outcome.enhanced == "4.7.10"
    wanted = Demand(TlsLevel.VERIFY, Whence.SENDER, (HOST,), (), "", True, True)
    assert for_sender(HOST, certain) == wanted
    dane = Demand(TlsLevel.DANE, Whence.DANE, records=USABLE.records, is_host_certain=True)
    assert for_sender(HOST, dane) == replace(dane, whence=Whence.SENDER, is_binding=True)

"""What is demanded of a host: of what the operator has set, the DNS has, and the domain's policy says.

| set | TLSA records of the host | policy of the domain | demanded |
| --- | --- | --- | --- |
| none | | | none |
| any other | cannot be looked up | | the host is passed over |
| any other | | enforced, without the host | the host is passed over |
| any other | some are usable | | dane |
| may, encrypt | all unusable | enforced | verify |
| may, encrypt | all unusable | | encrypt |
| may, encrypt | none | enforced | verify |
| may, encrypt | none | | as set |
| verify | none, or all unusable | | verify |

A policy that is enforced takes nothing away from TLSA records (RFC 8461 §2); where a host has both, the
records say which certificate is right. ``dane`` meets what ``verify`` is set for: that the host is who it
says.
"""

from collections.abc import Sequence
from dataclasses import replace

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.trust import Demand, PassedOver, TlsLevel, Whence
from twisted_mail.trust import dane
from twisted_mail.trust.sts import StsMode, StsPolicy
from twisted_mail.trust.tlsa_lookup import NO_RECORDS, TlsaFinding

_UNKNOWN = "The DNS does not answer for the TLSA records of {host} now"
_DOUBTFUL = "The message requires TLS, and neither DNSSEC nor MTA-STS vouches for {host}"
_OUTSIDE = "{host} is none of the mail hosts that the MTA-STS policy of the domain names"


def demand_of(
    host: str,
    set_level: TlsLevel,
    whence: Whence = Whence.DEFAULT,
    tlsa: TlsaFinding = NO_RECORDS,
    policy: StsPolicy | None = None,
    domains: Sequence[str] = (),
    is_mx_authentic: bool = False,
) -> Demand | PassedOver:
    """Return what is demanded of a host, or why no mail goes there now.

    ``domains`` are names of the destination that a certificate may have as well, where an authority of a
    TLSA record has signed it (RFC 7672 §3.2.2).
    """
    if set_level is TlsLevel.NONE:
        return Demand(TlsLevel.NONE, whence)
    if tlsa.has_failed:
        return PassedOver(host, Outcome(451, "4.4.3", _UNKNOWN.format(host=host)))
    enforced = policy if policy is not None and policy.mode is StsMode.ENFORCE else None
    if enforced is not None and not enforced.has(host):
        return PassedOver(host, Outcome(451, "4.7.5", _OUTSIDE.format(host=host)))
    is_policy = policy is not None and policy.mode is not StsMode.NONE and policy.has(host)
    is_certain = is_mx_authentic or is_policy
    if records := dane.usable(tlsa.records):
        names = tuple(dict.fromkeys((tlsa.base, *domains)))
        return Demand(TlsLevel.DANE, Whence.DANE, names, records, tlsa.base, is_certain)
    return _without_records(host, set_level, whence, tlsa, enforced is not None, is_certain)


def _without_records(
    host: str,
    set_level: TlsLevel,
    whence: Whence,
    tlsa: TlsaFinding,
    is_enforced: bool,
    is_certain: bool,
) -> Demand:
    if set_level is TlsLevel.VERIFY:
        return Demand(TlsLevel.VERIFY, whence, (host,), is_host_certain=is_certain)
    if is_enforced:
        return Demand(TlsLevel.VERIFY, Whence.MTA_STS, (host,), is_host_certain=is_certain)
    if tlsa.records and set_level is TlsLevel.MAY:
        return Demand(TlsLevel.ENCRYPT, Whence.DANE, is_host_certain=is_certain)
    return Demand(set_level, whence, is_host_certain=is_certain)


def for_sender(host: str, demand: Demand) -> Demand | PassedOver:
    """Return the demand on a host for a message that requires TLS (RFC 8689 §4.2.1).

    Where nobody vouches for the name of the host it is passed over: no proof of that name is worth
    anything.
    """
    if not demand.is_host_certain:
        return PassedOver(host, Outcome(451, "4.7.10", _DOUBTFUL.format(host=host)))
    if demand.level in (TlsLevel.VERIFY, TlsLevel.DANE):
        return replace(demand, whence=Whence.SENDER, is_binding=True)
    return Demand(TlsLevel.VERIFY, Whence.SENDER, (host,), is_host_certain=True, is_binding=True)

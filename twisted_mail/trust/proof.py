"""Whether what was proven on a connection is enough for what is demanded of it."""

from twisted_mail.mail.trust import Demand, Proof, TlsLevel


def is_enough(proof: Proof, demand: Demand) -> bool:
    """Return whether mail with this demand may go over a connection with this proof.

    A proof is about one host, and the demand has to be about the same. Where TLS is only wished for,
    clear text is enough if there was nothing better to be had, which the proof does not say: that is for
    ``decision``.

    | demanded | enough is |
    | --- | --- |
    | none, may | anything |
    | encrypt | TLS |
    | verify | a name that is demanded, proven by an authority that is trusted here |
    | dane | a certificate that fits the same records; if names matter, with one that is demanded |

    What is binding goes to hosts alone that offer REQUIRETLS.
    """
    if demand.is_binding and not proof.is_binding:
        return False
    match demand.level:
        case TlsLevel.NONE | TlsLevel.MAY:
            return True
        case TlsLevel.ENCRYPT:
            return proof.is_encrypted
        case TlsLevel.VERIFY:
            return proof.is_encrypted and not proof.records and _has_name(proof, demand)
    return _fits(proof, demand)


def _has_name(proof: Proof, demand: Demand) -> bool:
    return not set(demand.names).isdisjoint(proof.names)


def _fits(proof: Proof, demand: Demand) -> bool:
    if not (proof.is_encrypted and demand.records and proof.records == demand.records):
        return False
    return not proof.names or _has_name(proof, demand)


def may_carry(proof: Proof, opened_for: Demand, demand: Demand) -> bool:
    """Return whether a connection that is open may carry mail with another demand than it was opened for.

    One in clear was opened for mail that wants none, or to a host that has no TLS; mail that only wishes
    for TLS goes over it in the second case alone.
    """
    if demand.level is TlsLevel.MAY and opened_for.level is TlsLevel.NONE:
        return proof.is_encrypted
    return is_enough(proof, demand)

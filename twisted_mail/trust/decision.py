"""What follows when a host has shown what it offers: the decision table.

| demanded | no STARTTLS, or refused | handshake fails | TLS, nothing proven | name proven | record fits |
| --- | --- | --- | --- | --- | --- |
| none | send | send | send | send | send |
| may | send in clear | again, in clear | send | send | send |
| encrypt | pass over | pass over | send | send | send |
| verify | pass over | pass over | pass over | send | pass over |
| dane | pass over | pass over | pass over | pass over | send |

A host that is passed over is no failure of a message: the next host is asked, and when none is left the
message waits. With ``none`` TLS is not begun. What "fits" and which names count is in ``proof``.
"""

from enum import Enum

from twisted_mail.mail.trust import NOTHING_PROVEN, Demand, Proof, TlsLevel
from twisted_mail.trust.proof import is_enough


class Found(Enum):
    """What a host has shown of TLS."""

    NO_TLS = "no STARTTLS"
    REFUSED = "STARTTLS refused"
    FAILED = "handshake failed"
    TLS = "TLS"


class Course(Enum):
    """What is done then."""

    SEND = "send"
    SEND_IN_CLEAR = "send in clear"
    AGAIN_IN_CLEAR = "connect again, in clear"
    PASS_OVER = "pass over"


def decide(demand: Demand, found: Found, proof: Proof = NOTHING_PROVEN) -> Course:
    """Return what follows."""
    if demand.level is TlsLevel.NONE:
        return Course.SEND
    if found is Found.TLS:
        return Course.SEND if is_enough(proof, demand) else Course.PASS_OVER
    if demand.level is not TlsLevel.MAY:
        return Course.PASS_OVER
    return Course.AGAIN_IN_CLEAR if found is Found.FAILED else Course.SEND_IN_CLEAR

"""What is kept of the attempts at sites that rest."""

import gc
from dataclasses import replace

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.queue.dispatch.memory.remembered import recalled, remembered, shared

ATTEMPT = Attempt(
    Outcome(451, "4.4.1", "Connection refused"),
    1000.5,
    ReplyClass.NETWORK,
    host="mx.example.net",
    address="192.0.2.1",
    command="EHLO us.example",
    use=3,
    phases={"connect": 0.25},
    is_reply=True,
    keywords=frozenset({"DSN"}),
    tls_failure="no common version",
)


def test_all_but_phases_and_keywords_is_kept() -> None:
    assert recalled(remembered(ATTEMPT)) == replace(ATTEMPT, phases={}, keywords=frozenset())


def test_the_collection_of_garbage_has_nothing_to_look_through() -> None:
    kept = remembered(ATTEMPT)
    gc.collect()  # what it shares with others first
    gc.collect()
    assert not gc.is_tracked(kept)


def test_equal_values_are_one() -> None:
    one, other = (Outcome(250, "2.0.0", "".join(["O", "k"])) for _ in range(2))
    assert one is not other
    assert shared(one) is shared(other)

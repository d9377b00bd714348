"""Draws odd messages and prints what Dovecot and this server read differently.

``python -m tests.whole.reading 5000 --seed 7`` draws 5,000 and takes some minutes; the same seed draws
the same ones. With ``--cases 0.3`` three of ten hold one of the cases in which both are known to differ.
"""

import argparse
import re
import sys
from collections import defaultdict
from random import Random

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.whole.dovecot_config import dovecot_version
from tests.whole.live import needs
from tests.whole.reading.both import served
from tests.whole.reading.comparison import Comparison
from tests.whole.reading.messages import Generator, OddMessage
from tests.whole.reading.searches import keys
from tests.whole.reading.sections import names_of

AT_ONCE = 400  # messages in one mailbox
FETCHED = 50  # of these, for every message has dozens of sections


def drawn(number: int, seed: int, with_cases: float) -> list[OddMessage]:
    """Draw messages, the same for the same seed."""
    version = dovecot_version(needs("dovecot"))
    found: list[OddMessage] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def draw(chance: Random) -> None:
        generator = Generator(chance, version, with_cases)
        generator.number = len(found)
        found.append(generator.message())

    draw()
    return found


def compared(messages: list[OddMessage], found: Comparison) -> None:
    """Compare everything of some messages that fit into one mailbox."""
    with served([message.octets for message in messages]) as both:
        found.attributes(messages, both)
        for number, structure in enumerate(both.structures()[:FETCHED], 1):
            if not messages[number - 1].excuses:
                found.sections(number, messages[number - 1], both, names_of(structure))
        for key in keys():
            found.search(key, messages, both)


def kinds(wrong: list[str]) -> dict[str, list[str]]:
    """Return the differences by the attribute, the shortest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in sorted(wrong, key=len):
        found[re.sub(r"\d+", "N", one.partition(": Dovecot")[0])].append(one)
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.whole.reading", description=__doc__)
    parser.add_argument("number", type=int, help="how many messages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=float, default=0.0, help="how many hold a known case")
    options = parser.parse_args(arguments)
    messages = drawn(options.number, options.seed, options.cases)
    found = Comparison()
    for at in range(0, len(messages), AT_ONCE):
        compared(messages[at : at + AT_ONCE], found)
    sys.stdout.write(f"{found}\n")
    for kind, some in kinds(found.wrong).items():
        sys.stdout.write(f"\n{kind}: {len(some)} times\n{some[0]}\n")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

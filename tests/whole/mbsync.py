"""mbsync, and what it says that it did."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.whole.clients import run_in_terminal
from tests.whole.live import needs


class Synchronised(NamedTuple):
    """What was done on each side, by the signs of mbsync: ``+`` added, ``*`` flagged, ``#`` trashed."""

    far: Counter[str]
    near: Counter[str]


NOTHING = Synchronised(Counter(), Counter())

# At its end, mbsync 1.4 shows "F: +0/0 *0/0 #0/0  N: +20/20 *0/0 #0/0", what is done of what is to do;
# 1.5 "Far: +0 *0 #0 -0    Near: +20 *0 #0 -0".
_SIDES = re.compile(r"F(?:ar)?: (.+?)\s+N(?:ear)?: (.+)")
_COUNT = re.compile(r"([+*#-])(\d+)(?:/(\d+))?")


def mbsync(config: Path) -> Synchronised:
    """Synchronise all channels of a configuration; it shows the counts on a terminal only."""
    said = run_in_terminal([needs("mbsync"), "-c", str(config), "-a"], config.parent)
    line = re.split(r"[\r\n]+", said.strip())[-1]
    match = _SIDES.search(line)
    assert match, said
    return Synchronised(_counts(match[1]), _counts(match[2]))


def _counts(side: str) -> Counter[str]:
    found = _COUNT.findall(side)
    assert all(total in ("", done) for _, done, total in found), side
    return Counter({sign: int(done) for sign, done, _ in found})

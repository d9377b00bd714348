"""When memory is given back; how much, tests/whole/test_memory.py measures."""

import gc
import subprocess
import sys

import pytest

from twisted_mail.net.process import memory_trim
from twisted_mail.net.process.memory_trim import MIN_CLOSED, MemoryTrim
from twisted_mail.net.server.connection_limit import ConnectionLimit
from twisted_mail.testing.doubles import finish


class Tides:
    """Connections that come and go, and how often memory was returned."""

    def __init__(self) -> None:
        self.connection_limit = ConnectionLimit()
        self.ebb = MemoryTrim(self.connection_limit)
        self.given = 0

    def give_back(self) -> None:
        self.given += 1

    def come(self, number: int) -> "Tides":
        self.connection_limit.serve(number)
        return self.look()

    def go(self, number: int) -> "Tides":
        return self.come(-number)

    def look(self) -> "Tides":
        finish(self.ebb.work())
        return self


@pytest.fixture
def tides(monkeypatch: pytest.MonkeyPatch) -> Tides:
    tides = Tides()
    monkeypatch.setattr(memory_trim, "trim_memory", tides.give_back)
    return tides


def test_memory_is_given_back_once_when_most_have_gone(tides: Tides) -> None:
    assert tides.come(10 * MIN_CLOSED).go(5 * MIN_CLOSED - 1).look().given == 0
    assert tides.go(1).look().given == 1
    assert tides.look().go(1).look().given == 1


def test_not_before_all_have_gone_who_go(tides: Tides) -> None:
    assert tides.come(10 * MIN_CLOSED).go(6 * MIN_CLOSED).go(3 * MIN_CLOSED).given == 0
    assert tides.look().given == 1


def test_not_while_few_have_gone(tides: Tides) -> None:
    assert tides.come(MIN_CLOSED - 1).go(MIN_CLOSED - 1).look().given == 0


def test_again_with_every_tide(tides: Tides) -> None:
    for _ in range(3):
        tides.come(MIN_CLOSED).go(MIN_CLOSED).look()
    assert tides.given == 3


def test_a_peak_between_two_looks_is_seen(tides: Tides) -> None:
    tides.connection_limit.serve(MIN_CLOSED)
    assert tides.go(MIN_CLOSED).look().given == 1


def test_it_works_here_too() -> None:
    memory_trim.trim_memory()


def test_collections_leave_out_what_the_start_has_made() -> None:
    made: list[list[object]] = [[], []]
    callbacks = [*gc.callbacks]
    try:
        memory_trim.settle_memory()
        assert not [one for one in gc.get_objects() if one is made]
        assert gc.get_freeze_count() > len(made)
    finally:
        gc.callbacks[:] = callbacks
        gc.unfreeze()


# Large pieces of a thread among small ones that stay: prints how many are held when they are freed.
LARGE_PIECES = """
import ctypes, threading
from twisted_mail.net.process.memory_trim import LARGE, keep_large_apart

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def work(kept=[]):
    bytearray(8 * LARGE)  # what the C library learns from
    pieces = [(bytearray(LARGE), kept.append(bytearray(1000))) for _ in range(40)]
    for piece, _ in pieces:
        piece[::4096] = piece[1::4096]  # so that it is there
    del pieces

{call}
before = held()
thread = threading.Thread(target=work)
thread.start()
thread.join()
print((held() - before) // LARGE)
"""


@pytest.mark.skipif(
    not hasattr(memory_trim.ctypes.CDLL(None), "mallopt"), reason="another C library"
)
@pytest.mark.parametrize(("call", "are_held"), [("", True), ("keep_large_apart()", False)])
def test_large_pieces_go_back_when_they_are_freed(call: str, are_held: bool) -> None:
    program = LARGE_PIECES.replace("{call}", call)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (int(ended.stdout) > 20) is are_held

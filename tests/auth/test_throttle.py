import pytest

from twisted_mail.auth.throttle import (
    LONGEST_DELAY,
    MAX_REMEMBERED,
    MAX_WAITING,
    MEMORY_SECONDS,
    LocalThrottle,
    network,
)
from twisted_mail.interfaces import Peer
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import StillClock, finish

HERE, NEAR, FAR = Peer("192.0.2.1", 1), Peer("192.0.2.9", 1), Peer("198.51.100.1", 1)


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def throttle(clock):
    return LocalThrottle(clock)


def fail(throttle, name, peer):
    began = throttle.clock.monotonic()
    finish(throttle.hold_back(name, peer, began))
    return throttle.clock.slept[-1]


def test_failures_from_one_network_wait_longer_and_longer(throttle):
    waits = [fail(throttle, f"user{n}", HERE if n % 2 else NEAR) for n in range(5)]
    assert waits == [2.0, 4.0, 8.0, 15.0, LONGEST_DELAY]


def test_failures_for_one_account_wait_longer_whatever_the_network(throttle):
    peers = [Peer(f"198.51.{n}.1", 1) for n in range(3)]
    assert [fail(throttle, "Alice@example.org", peer) for peer in peers] == [2.0, 4.0, 8.0]
    assert fail(throttle, "alice@example.org", FAR) == 15.0


def test_other_networks_and_accounts_are_not_affected(throttle):
    fail(throttle, "alice", HERE)
    assert fail(throttle, "bob", FAR) == 2.0


def test_the_delay_runs_from_the_start_of_the_attempt(throttle, clock):
    began = clock.monotonic()
    clock.seconds += 1.5
    finish(throttle.hold_back("alice", HERE, began))
    assert clock.slept == [0.5]


def test_a_check_that_took_longer_than_the_delay_is_answered_at_once(throttle, clock):
    began = clock.monotonic()
    clock.seconds += 20
    finish(throttle.hold_back("alice", HERE, began))
    assert clock.slept == [0.0]


def test_peers_on_this_host_are_many_people_and_only_accounts_count(throttle):
    for name in ("alice", "bob", "carol"):
        assert fail(throttle, name, Peer("127.0.0.1", 1)) == 2.0
    assert fail(throttle, "alice", Peer("", 0)) == 4.0
    throttle.admit(network(Peer("127.0.0.1", 1)))


def test_time_forgets(throttle, clock):
    fail(throttle, "alice", HERE)
    clock.seconds += MEMORY_SECONDS + 1
    assert fail(throttle, "alice", HERE) == 2.0


def test_a_login_clears_the_account_and_not_the_network(throttle):
    for _ in range(3):
        fail(throttle, "alice", HERE)
    throttle.forgive("ALICE")
    assert fail(throttle, "alice", FAR) == 2.0
    assert fail(throttle, "bob", HERE) == 15.0


def test_memory_is_bounded(throttle, clock):
    for n in range(MAX_REMEMBERED + 10):
        fail(throttle, f"user{n}" * 100, Peer(f"10.{n >> 8}.{n & 255}.1", 1))
        clock.seconds = 0.0
    assert len(throttle._failures) == MAX_REMEMBERED
    assert max(map(len, throttle._failures)) < 300


class Sleepers(StillClock):
    async def sleep(self, seconds):
        await Forever()


class Forever:
    def __await__(self):
        yield


def test_many_connections_of_one_network_are_no_way_around():
    throttle = LocalThrottle(Sleepers())
    waiting = [throttle.hold_back("alice", HERE, 0.0) for _ in range(MAX_WAITING)]
    for coroutine in waiting:
        throttle.admit(network(HERE))
        coroutine.send(None)
    with pytest.raises(Unavailable):
        throttle.admit(network(NEAR))
    throttle.admit(network(FAR))
    waiting.pop().close()
    throttle.admit(network(NEAR))
    for coroutine in waiting:
        coroutine.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("somewhere", "somewhere"),
    ],
)
def test_a_network_is_what_one_guesser_commands(host, expected):
    assert network(Peer(host, 1)) == expected

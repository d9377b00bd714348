"""Zones whose servers do not answer."""

import dns.name
import pytest

from twisted_mail.net.dns import silent_zones as room
from twisted_mail.net.dns.silent_zones import SilentZones, zone_of
from twisted_mail.testing.doubles import StillClock

EVIL = (b"evil", b"example")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("a.b.Evil.Example", "evil.example"),
        ("evil.example", "evil.example"),
        ("mail.shop.co.uk", "shop.co.uk"),
        ("mail.bbc.uk", "bbc.uk"),
        ("com", "com"),
        ("4.3.2.1.in-addr.arpa", "3.2.1.in-addr.arpa"),
        ("1." * 20 + "8.b.d.0.1.0.0.2.ip6.arpa", "1.1.1.1.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_a_zone_is_what_probably_has_one_owner(name: str, zone: str) -> None:
    assert b".".join(zone_of(dns.name.from_text(name))).decode() == zone


def fail(zones: SilentZones, seconds: float = 5.0) -> None:
    assert zones.begin(EVIL)
    zones.end(EVIL, seconds, has_failed=True)


def test_after_two_failures_two_questions_go_into_a_zone_at_a_time() -> None:
    zones = SilentZones(StillClock())
    fail(zones)
    assert [zones.begin(EVIL) for _ in range(3)] == [True] * 3
    for _ in range(3):
        zones.end(EVIL, 5.0, has_failed=True)
    assert [zones.begin(EVIL) for _ in range(3)] == [True, True, False]
    assert zones.begin((b"good", b"example"))


def test_an_answer_ends_that() -> None:
    zones = SilentZones(StillClock())
    fail(zones)
    fail(zones)
    assert zones.begin(EVIL)
    zones.end(EVIL, 5.0, has_failed=False)
    assert [zones.begin(EVIL) for _ in range(3)] == [True] * 3


def test_time_ends_that() -> None:
    clock = StillClock()
    zones = SilentZones(clock)
    fail(zones)
    fail(zones)
    clock.seconds += room.SILENT_SECONDS
    assert [zones.begin(EVIL) for _ in range(3)] == [True] * 3


def test_an_error_that_is_answered_at_once_is_no_silence() -> None:
    zones = SilentZones(StillClock())
    for _ in range(5):
        fail(zones, 0.1)
    assert [zones.begin(EVIL) for _ in range(3)] == [True] * 3


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_ZONES", 1)
    zones = SilentZones(StillClock())
    fail(zones)
    fail(zones)
    assert zones.begin((b"other",))
    zones.end((b"other",), 5.0, has_failed=True)
    assert [zones.begin(EVIL) for _ in range(3)] == [True] * 3

import os
from pathlib import Path

import pytest

from tests.whole.queue_trials.drive import SECTOR, Platter
from tests.whole.queue_trials.mounted_drive import MountedDrive, why_not

OLD, NEW = b"o" * SECTOR, b"n" * SECTOR


def after_cuts(platter_of: type[Platter], flushed: int) -> set[bytes]:
    """Return all that three sectors may have after a cut, of two writes of which some were flushed."""
    found = set()
    for seed in range(300):
        platter = platter_of(OLD * 3)
        platter.write(0, NEW * 2)
        platter.write(SECTOR * 2, NEW)
        platter.flush(flushed)
        platter.cut(seed)
        platter.write(0, b"x" * 10)
        platter.flush(platter.written)
        platter.power_on()
        found.add(bytes(platter.now))
    return found


def test_what_was_not_flushed_stays_or_goes_or_is_torn() -> None:
    found = after_cuts(Platter, 0)
    assert {OLD * 3, NEW * 3, NEW + OLD * 2, OLD * 2 + NEW, NEW * 2 + OLD} <= found


def test_what_was_flushed_stays() -> None:
    assert after_cuts(Platter, 1) == {NEW * 2 + OLD, NEW * 3}
    assert after_cuts(Platter, 2) == {NEW * 3}


def test_what_is_written_reads_so_before_it_is_flushed() -> None:
    platter = Platter(OLD * 2)
    platter.write(10, NEW)
    assert platter.now == b"o" * 10 + NEW + b"o" * (SECTOR - 10)
    assert platter.flushed == OLD * 2


@pytest.mark.skipif(bool(why_not()), reason=why_not())
@pytest.mark.whole
def test_a_file_system_keeps_what_was_synced_alone(tmp_path: Path) -> None:
    place = tmp_path / "place"
    drive = MountedDrive(tmp_path, place)
    try:
        for name in ("synced", "not-synced"):
            with (place / name).open("wb") as file:
                file.write(NEW)
                if name == "synced":
                    file.flush()
                    os.fsync(file.fileno())
        drive.order("cut 1")
        drive.order("let go")
        drive.unmount()
        drive.order("power on")
        drive.mount()
        assert (place / "synced").read_bytes() == NEW
        assert not (place / "not-synced").exists()
    finally:
        drive.close()

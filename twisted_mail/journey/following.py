"""Events as they happen: what is written to the files from now on."""

import os

from twisted_mail.journey.day_files import DayFile, day_files
from twisted_mail.journey.event_lines import read_event
from twisted_mail.journey.search import EVENT_KIND, Found

MOST_READ = 4 * 1024 * 1024  # octets of one file at a time


class JourneyFollower:
    """Reads what is new since the last time, or since it was made. All raise OSError."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._places = {file: self._size(file) for file in day_files(folder, EVENT_KIND)}
        self._rest: dict[DayFile, bytes] = {}  # of a line that is not written whole yet

    def poll(self) -> list[Found]:
        """Return the events that were written since, in the order of time."""
        files = day_files(self._folder, EVENT_KIND)
        found = [event for file in files for event in self._read(file)]
        self._places = {file: self._places.get(file, 0) for file in files}
        return sorted(found, key=lambda one: str(one["time"]))

    def _read(self, file: DayFile) -> list[Found]:
        place = self._places.get(file, 0)
        if self._size(file) <= place:
            return []
        try:
            fd = os.open(self._path(file), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            data = os.pread(fd, MOST_READ, place)
        finally:
            os.close(fd)
        self._places[file] = place + len(data)
        whole, _, self._rest[file] = (self._rest.pop(file, b"") + data).rpartition(b"\n")
        return [event for event in map(read_event, whole.split(b"\n")) if event is not None]

    def _size(self, file: DayFile) -> int:
        try:
            return os.stat(self._path(file)).st_size
        except FileNotFoundError:
            return 0

    def _path(self, file: DayFile) -> str:
        return os.path.join(self._folder, file.name)

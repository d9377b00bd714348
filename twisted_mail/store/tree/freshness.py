"""How current what is known of a mailbox is, and what its sessions were sent of it."""

import math
from collections import deque
from collections.abc import Callable

from twisted_mail.interfaces import Clock
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.index.database import Version
from twisted_mail.store.index.rows import MailboxRow

# A folder altered so shortly before it was read may be altered again within the same tick of the
# file system's clock: then its modification time says nothing yet.
RACY_SECONDS = 0.1
# After own renames in cur, what other programs did in the same moment goes unseen for so long.
DOUBT_SECONDS = 10.0


class Freshness:
    """What one mailbox's files were like when they were read, and what was sent since.

    ``row`` is the mailbox's row up to which this process knows what happened, not to be altered.

    Used in the account's lane, but for ``claim_recent``, ``claimants``, ``doubt``, ``is_young`` and
    ``is_watched``, which are for the reactor thread.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seen = (0, 0)  # modification times of new and cur when they were read
        self._read_cur = 0  # that of cur, however young it was
        self.listed: UidList | None = None  # read, and not compared with the files yet
        self.row: MailboxRow | None = None
        self._row_version: Version | None = None  # of the index, in which that row was read
        self.is_loaded = False  # what the index says of the mailbox was read
        self.first_recent = 0
        self.claimants = 0  # sessions of this process that claim what is recent
        self._granted: deque[tuple[int, int]] = deque()  # to them: UIDs, the second not included
        self.is_watched = False  # what happens in new and cur is reported
        self._settled = 0  # below this UID, no file lies in new
        self._doubted_since: float | None = None

    # ------------------------------------------------------------ the folders

    def trusted_time(self, time: int) -> int:
        """Return a modification time, or 0 if it is too young to reveal a second alteration."""
        age = self._clock.now() - time / 1_000_000_000
        return time if age > RACY_SECONDS else 0

    @property
    def is_young(self) -> bool:
        """Return whether the folders were read so early that another alteration may not show."""
        return any(time and not self.trusted_time(time) for time in self.seen)

    def see_all(self, new: int, cur: int) -> None:
        """Note that both folders were read, when they had these times."""
        self.seen = self.trusted_time(new), self.trusted_time(cur)
        self._read_cur = cur
        self._doubted_since = None

    def see_new(self, time: int) -> None:
        """Note that new was read; what is known of cur stays as it is."""
        self.seen = time, self.seen[1]

    def take_times(self, times: tuple[int, int]) -> None:
        """Take these times for those of the last reading: all that happened before is known."""
        self.seen = times
        self._read_cur = times[1]

    def is_current(self, cur: int) -> bool:
        """Return whether cur was read when it had this time, even if that was too young to be trusted.

        It is enough for own renames, whose time hides as much: else each of many that come at once would
        have all read again.
        """
        return cur in (self.seen[1], self._read_cur)

    def see_own_renames(self, cur: int) -> None:
        """Note a time of cur that own renames made; they may hide what others did at once."""
        self.seen = self.seen[0], cur
        if self._doubted_since is None:
            self._doubted_since = self._clock.monotonic()

    def doubt(self) -> None:
        """Have the next look read everything."""
        self._doubted_since = -math.inf

    @property
    def is_doubtful(self) -> bool:
        """Return whether it is time to look for what own renames may have hidden."""
        since = self._doubted_since
        return (
            since is not None
            and not self.is_watched
            and self._clock.monotonic() - since > DOUBT_SECONDS
        )

    def restorer(self) -> Callable[[], None]:
        """Return a function that takes back what is seen from now on: it may not reach the index."""
        seen, listed, doubted_since = self.seen, self.listed, self._doubted_since
        is_loaded, read_cur = self.is_loaded, self._read_cur

        def restore() -> None:
            self.seen, self.listed, self._doubted_since = seen, listed, doubted_since
            self._read_cur = read_cur
            self.is_loaded = is_loaded

        return restore

    # ------------------------------------------------------------ the list of UIDs

    def compare_list(self, listed: UidList | None) -> None:
        """Note a list that is to be compared with the files."""
        self.listed = listed

    def end_comparison(self) -> None:
        """Note that files, list and index agree."""
        self.listed = None

    # ------------------------------------------------------------ sessions

    def raise_recent(self, uid: int) -> None:
        """Note that messages below a UID were sent as recent to some session."""
        self.first_recent = max(self.first_recent, uid)

    def grant_recent(self, first: int, stop: int) -> None:
        """Leave messages, which the index has as claimed, to the first of our sessions that asks."""
        self._granted.append((first, stop))
        self.raise_recent(stop)

    def claim_recent(self, uidnext: int) -> int:
        """Return the lowest UID that is recent, and take it and all below ``uidnext``."""
        first = self.first_recent
        while self._granted and self._granted[0][0] < uidnext:
            start, stop = self._granted.popleft()
            first = min(first, start)
            if uidnext < stop:  # the rest was not published yet
                self._granted.appendleft((uidnext, stop))
        self.raise_recent(uidnext)
        return first

    @property
    def is_settled(self) -> bool:
        """Return whether no file that was sent as recent lies in new."""
        return self._settled >= self.first_recent

    def settle(self, uid: int) -> None:
        """Note that no file below a UID lies in new."""
        self._settled = uid

    def begin_anew(self) -> None:
        """Forget what is recent: the mailbox has another UIDVALIDITY."""
        self.first_recent = self._settled = 0
        self._granted.clear()

    # ------------------------------------------------------------ other processes

    def reach(self, state: MailboxRow, version: Version | None) -> None:
        """Note that all that a mailbox's row says in a version of the index is known here."""
        self.row, self._row_version = state, version
        self.raise_recent(state.first_recent)

    def lose_sync(self) -> None:
        """Note that the row is another one now."""
        self.row = self._row_version = None

    def is_row_of(self, version: Version) -> bool:
        """Return whether the row is the mailbox's in this version of the index."""
        return self._row_version == version

    def lose_index(self) -> None:
        """Note that the index is another one now, which may know less than the list of UIDs."""
        self.lose_sync()
        self.is_loaded = False

    def row_before(self, state: MailboxRow) -> MailboxRow | None:
        """Return the row that is known here if another process went beyond it."""
        last = self.row
        if last is None or last.id != state.id or last.highest_modseq >= state.highest_modseq:
            return None
        return last

"""The mailing lists as the running server reads them, and alters them when members write.

A bounce counts if the last one counted is old enough. Counting starts again when the first one counted is
too old. The member is suspended when the limit is reached.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import apsw

from twisted_mail.directory.editing.mailing_lists import MailingLists
from twisted_mail.directory.tables import Tables
from twisted_mail.interfaces import Blocking, FaultReport, unreported
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.mailing_list_definition import (
    BounceRule,
    BounceStatus,
    ListRole,
    MailingList,
    Member,
    SubscriptionRequest,
)
from twisted_mail.mail.outcome import Refused, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

ASK_AGAIN = 3600.0  # seconds before the same request is made again
MAX_REQUESTS = 1000  # of one list that are not confirmed
_MEMBER = "SELECT number, address, suspended FROM list_member WHERE list = ?"


class SqliteMailingListStore:
    """Fulfils ``interfaces.MailingListStore`` over the directory's file.

    Raises ``schema.DirectoryUnusable``.
    """

    def __init__(
        self,
        path: Path,
        blocking: Blocking,
        extra_domains: Iterable[str] = (),
        separators: str = "+",
        now: Callable[[], float] = time.time,
        report_fault: FaultReport = unreported,
    ) -> None:
        self._path = str(path)
        self._report_fault = report_fault
        self._lane = blocking.lane()
        self._tables = Tables(path, extra_domains, separators)
        self._lists = MailingLists(self._tables, now)
        self._now = now
        self._secret = b""

    def close(self) -> None:
        """Close the file."""
        self._tables.connection.close()

    # ------------------------------------------------------------ the door

    async def find(self, name: str) -> MailingList | None:
        """Return a list, or None where there is none."""
        return await self._run(self._lists.get, parse(name))

    async def members(self, name: str, after: int, limit: int) -> Sequence[Member]:
        """Return members who are not suspended, in the order of their numbers, those above ``after``."""
        query = f"{_MEMBER} AND suspended = 0 AND number > ? ORDER BY number LIMIT ?"
        return await self._run(self._read, query, _key(name), after, limit)

    async def member(self, name: str, who: Address | int) -> Member | None:
        """Return the member with an address, or with a number, or None."""
        if isinstance(who, int):
            found = await self._run(self._read, f"{_MEMBER} AND number = ?", _key(name), who)
        else:
            found = await self._run(self._find_member, _key(name), who)
        return found[0] if found else None

    async def secret(self) -> bytes:
        """Return the secret of the lists, made at first use."""
        if not self._secret:
            self._secret = await self._run(self._make_secret)
        return self._secret

    async def ask(self, name: str, role: ListRole, address: Address) -> str:
        """Record a request to join or leave; return the token that confirms it."""
        return await self._run(self._ask, name, role, address)

    async def confirm(self, name: str, token: str, within: float) -> SubscriptionRequest | None:
        """Do what was asked at most ``within`` seconds ago, and return it."""
        return await self._run(self._answer, name, token, within)

    async def leave(self, name: str, address: Address) -> bool:
        """Remove a member from a list; return whether they were on it."""
        return await self._run(self._leave, name, address)

    async def bounced(self, name: str, number: int, rule: BounceRule) -> BounceStatus:
        """Count a bounce of a member."""
        return await self._run(self._bounced, name, number, rule)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._lane.run(work, *args, **kwargs)
        except apsw.Error as error:
            self._report_fault(self._path, error)
            raise Unavailable("The mailing lists cannot be read now") from error

    # ------------------------------------------------------------ in the thread

    def _read(self, query: str, *values: str | int) -> list[Member]:
        rows = self._tables.connection.execute(query, values)
        return [Member(number, parse(text), bool(since)) for number, text, since in rows]

    def _find_member(self, key: str, address: Address) -> list[Member]:
        home = self._tables.at_home(address).key
        return self._read(f"{_MEMBER} AND key IN (?, ?)", key, address.key, home)

    def _make_secret(self) -> bytes:
        with self._tables.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO secret VALUES ('lists', ?)", (secrets.token_bytes(32),)
            )
            return bytes(
                next(connection.execute("SELECT value FROM secret WHERE name = 'lists'"))[0]
            )

    def _ask(self, name: str, role: ListRole, address: Address) -> str:
        key, now = _key(name), self._now()
        row = key, role.value, address.key
        with self._tables.transaction() as connection:
            found = self._lists.find(name)
            if role is ListRole.SUBSCRIBE:
                self._lists.check_joining(found, address)
            elif not self._find_member(key, address):
                raise Refused(f"{address} is not on {found.name}")
            connection.execute(
                "DELETE FROM list_request WHERE list = ? AND role = ? AND key = ? AND created < ?",
                (*row, now - ASK_AGAIN),
            )
            self._make_room(key)
            token = secrets.token_hex(10)
            connection.execute(
                "INSERT OR IGNORE INTO list_request VALUES (?, ?, ?, ?, ?, ?)",
                (token, *row, str(address), int(now)),
            )
            return token if connection.changes() else ""

    def _make_room(self, key: str) -> None:
        """Forget the oldest request of a list that has too many, of the user who has most.

        Anybody may ask for any address, each with any detail: who does that displaces these alone.
        """
        connection = self._tables.connection
        query = "SELECT token, key FROM list_request WHERE list = ? ORDER BY created"
        rows = [(token, self._user(asked)) for token, asked in connection.execute(query, (key,))]
        while len(rows) >= MAX_REQUESTS:
            [(most, _)] = Counter(user for _, user in rows).most_common(1)
            oldest = next(row for row in rows if row[1] == most)
            connection.execute("DELETE FROM list_request WHERE token = ?", (oldest[0],))
            rows.remove(oldest)

    def _user(self, key: str) -> str:
        """Return the key of an address without any detail."""
        local, _, domain = key.rpartition("@")
        ends = [at for at, sign in enumerate(local) if at and sign in self._tables.separators]
        return f"{local[: min(ends, default=len(local))]}@{domain}"

    def _answer(self, name: str, token: str, within: float) -> SubscriptionRequest | None:
        with self._tables.transaction() as connection:
            rows = list(
                connection.execute(
                    "DELETE FROM list_request WHERE token = ? AND list = ?"
                    " RETURNING role, address, created",
                    (token.lower(), _key(name)),
                )
            )
            if not rows or rows[0][2] < self._now() - within:
                return None
            role, address = ListRole(rows[0][0]), parse(rows[0][1])
            found = self._lists.find(name)
            if role is ListRole.SUBSCRIBE:
                self._lists.join(found, address)
            else:
                self._lists.leave(found, address)
            return SubscriptionRequest(role, address)

    def _leave(self, name: str, address: Address) -> bool:
        with self._tables.transaction():
            return self._lists.leave(self._lists.find(name), address)

    def _bounced(self, name: str, number: int, rule: BounceRule) -> BounceStatus:
        now = int(self._now())
        with self._tables.transaction() as connection:
            rows = connection.execute(
                "SELECT bounces, first_bounce, last_bounce, suspended FROM list_member"
                " WHERE list = ? AND number = ?",
                (_key(name), number),
            )
            for count, first, last, since in list(rows):
                if since or (count and now - last < rule.apart):
                    return BounceStatus(count, bool(since))
                if not count or now - first > rule.window:
                    count, first = 0, now
                is_new = count + 1 >= rule.limit
                connection.execute(
                    "UPDATE list_member SET bounces = ?, first_bounce = ?, last_bounce = ?,"
                    " suspended = ? WHERE number = ?",
                    (count + 1, first, now, now if is_new else 0, number),
                )
                return BounceStatus(count + 1, is_new, is_new)
        return BounceStatus()


def _key(name: str) -> str:
    return parse(name).key

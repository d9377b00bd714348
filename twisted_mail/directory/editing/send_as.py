"""The rights of accounts to send as others, besides the addresses that lead to them."""

from collections.abc import Sequence

from twisted_mail.directory.tables import Tables, to_address, to_domain
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import catch_all_address
from twisted_mail.mail.outcome import Refused

MAX_GRANTS = 1000  # of one account


class SendAsGrants:
    """Addresses that accounts may use as senders; ``@domain`` stands for all of a domain.

    They may be anywhere. Methods raise Refused and Unavailable.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def of(self, text: str) -> tuple[str, ...]:
        """Return what an account may send as, sorted."""
        account = to_address(self._tables.find_account(text)).key
        return self._of(account)

    def _of(self, account: str) -> tuple[str, ...]:
        rows = self._tables.connection.execute(
            "SELECT address FROM may_send_as WHERE account = ? ORDER BY key", (account,)
        )
        return tuple(address for (address,) in rows)

    def allow(self, text: str, others: Sequence[str]) -> tuple[str, ...]:
        """Allow an account to send as others; return all it may send as now."""
        given = [_to_other(other) for other in others]
        with self._tables.transaction() as connection:
            account = to_address(self._tables.find_account(text)).key
            connection.executemany(
                "INSERT OR IGNORE INTO may_send_as VALUES (?, ?, ?)",
                ((account, one.key, _written(one)) for one in given),
            )
            found = self._of(account)
            if len(found) > MAX_GRANTS:
                raise Refused(f"an account may send as {MAX_GRANTS} others at most")
            return found

    def revoke(self, text: str, others: Sequence[str]) -> tuple[str, ...]:
        """Revoke such rights; return what the account may still send as."""
        with self._tables.transaction() as connection:
            account = to_address(self._tables.find_account(text)).key
            for other in others:
                address = _to_other(other)
                connection.execute(
                    "DELETE FROM may_send_as WHERE account = ? AND key = ?",
                    (account, address.key),
                )
                if not connection.changes():
                    raise Refused(f"{text} may not send as {_written(address)} anyway")
            return self._of(account)


def _to_other(text: str) -> Address:
    return catch_all_address(to_domain(text[1:])) if text.startswith("@") else to_address(text)


def _written(address: Address) -> str:
    return str(address) if address.local else f"@{address.domain}"

"""An account, a mailbox and a store that only know their names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Refused, Unavailable


@dataclass
class NamedMailbox:
    name: str
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


@dataclass
class NamedAccount:
    name: str
    error: BaseException | None = None
    is_held: bool = False

    async def open(self, name: str) -> Any:
        if self.error is not None:
            raise self.error
        return NamedMailbox(name)

    async def lock_maildrop(self) -> Callable[[], None]:
        if self.is_held:
            raise Refused("In use", "IN-USE")
        self.is_held = True
        return partial(setattr, self, "is_held", False)


@dataclass
class NamedStore:
    accounts: dict[str, Any] = field(default_factory=dict)
    is_broken: bool = False

    async def account(self, name: str) -> Any:
        if self.is_broken:
            raise Unavailable("no store")
        return self.accounts.setdefault(name, NamedAccount(name))


def directory(**aliases: list[str]) -> FixedDirectory:
    return FixedDirectory(
        {"alice@example.org": "secret", "bob@example.org": "sesame"},
        {
            f"{name}@example.org": [parse(target) for target in targets]
            for name, targets in aliases.items()
        },
    )

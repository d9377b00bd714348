"""Passwords at rest: argon2id for new ones (RFC 9106), and one check for all.

Every check of a login takes as long as one argon2id hash, whether the account exists or not. The work
is slow by intent: call ``check`` and ``hash_password`` where blocking is allowed.
"""

import base64
import os
from dataclasses import dataclass

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError

from twisted_mail.directory import schemes

MAX_PASSWORD = 1024  # octets
_SALT = 16  # octets, RFC 9106 §3.1
_TAG = 32  # octets


@dataclass(frozen=True, slots=True)
class PasswordSettings:
    """What a password costs to check, and how checks are remembered: the section ``[passwords]``.

    The cost is the second recommended option of RFC 9106 §4: 64 MiB, 3 passes, 4 lanes. At most
    ``threads`` checks run at a time (``threads`` times ``memory_mib`` is the memory they need), and
    ``waiting`` may be unfinished; logins beyond that have to try again. A right password is
    remembered for ``remembered_seconds`` (0: never), as long as the account's hash stays the same.
    ``is_upgraded`` renews hashes of other strength or scheme at the next login.
    """

    memory_mib: int = 64
    passes: int = 3
    lanes: int = 4
    threads: int = 2
    waiting: int = 256
    remembered_seconds: int = 300
    remembered_logins: int = 10_000
    is_upgraded: bool = True

    def __post_init__(self) -> None:
        for name, lowest, highest in _BOUNDS:
            if not lowest <= getattr(self, name) <= highest:
                raise ValueError(f"{name} must be from {lowest} to {highest}")


_BOUNDS = (
    ("memory_mib", 1, 4096),
    ("passes", 1, 100),
    ("lanes", 1, 64),
    ("threads", 1, 64),
    ("waiting", 1, 100_000),
    ("remembered_seconds", 0, 86_400),
    ("remembered_logins", 0, 1_000_000),
)


def hash_password(password: str, settings: PasswordSettings) -> str:
    """Return a new hash with a new salt: ``{ARGON2ID}$argon2id$...``."""
    hasher = PasswordHasher(
        time_cost=settings.passes,
        memory_cost=settings.memory_mib * 1024,
        parallelism=settings.lanes,
        hash_len=_TAG,
        salt_len=_SALT,
    )
    return "{ARGON2ID}" + hasher.hash(_octets(password))


def dummy_hash(settings: PasswordSettings) -> str:
    """Return a hash that takes as long to check as a real one, and that no password has."""
    salt, tag = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (_SALT, _TAG))
    cost = f"m={settings.memory_mib * 1024},t={settings.passes},p={settings.lanes}"
    return f"{{ARGON2ID}}$argon2id$v=19${cost}${salt}${tag}"


def check(stored: str | None, password: str, settings: PasswordSettings) -> bool:
    """Return whether a password matches a stored hash; None stands for no account.

    A wrong password takes about the time of an unknown account, whatever the scheme. Raises
    ``schemes.Uncheckable``.
    """
    if stored is not None and is_possible(password):
        if schemes.matches(stored, _octets(password)):
            return True
        if is_current(stored, settings):
            return False
    schemes.matches(dummy_hash(settings), _octets(password[:MAX_PASSWORD]))
    return False


def is_possible(password: str) -> bool:
    """Return whether this can be a password: not empty, no NUL, at most ``MAX_PASSWORD``.

    NUL is forbidden by RFC 4616 §2, and crypt(3) would stop reading there.
    """
    return 0 < len(_octets(password)) <= MAX_PASSWORD and "\0" not in password


def is_current(stored: str, settings: PasswordSettings) -> bool:
    """Return whether a hash is as strong as new ones are."""
    try:
        name, rest = schemes.split(stored)
        made = extract_parameters(rest) if name == "ARGON2ID" else None
    except (schemes.Uncheckable, InvalidHashError):
        return False
    wanted = (settings.memory_mib * 1024, settings.passes, settings.lanes)
    return made is not None and (made.memory_cost, made.time_cost, made.parallelism) == wanted


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")

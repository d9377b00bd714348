"""What an operator may set for addresses, mailing lists, and mail that waits."""

from dataclasses import dataclass

_SIGNS = frozenset("!#$%&'*+-/=?^_`{|}~.")


@dataclass(frozen=True, slots=True)
class AddressSettings:
    """The section ``[addresses]``."""

    separators: str = "+"  # each may stand between user and detail; none: there are no details

    def __post_init__(self) -> None:
        if not _SIGNS.issuperset(self.separators):
            raise ValueError(f"separators may have these signs: {' '.join(sorted(_SIGNS))}")


@dataclass(frozen=True, slots=True)
class ListSettings:
    """The section ``[lists]``. What a bounce counts is told in ``directory/mailing_lists.py``."""

    base_url: str = ""  # https, where one click unsubscribes; none: only by mail
    max_bounces: int = 5  # after so many of a member ...
    bounce_days: float = 14.0  # ... within so many days nothing is sent there any more
    bounce_hours: float = 20.0  # bounces closer together than this count as one
    confirm_days: float = 3.0  # how long a question to a new member may be answered
    held_days: float = 30.0  # how long a post waits for an owner
    max_held: int = 500  # posts of all lists together that wait so

    def __post_init__(self) -> None:
        if self.base_url and not self.base_url.startswith("https://"):
            raise ValueError("base_url must begin with https:// (RFC 8058 §3.1)")
        if not self.base_url.isascii() or any(sign in self.base_url for sign in " <>,\r\n"):
            raise ValueError("base_url must be a URL")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The section ``[waiting]``: mail for programs and lists, which is tried until it succeeds."""

    first_retry: float = 60.0  # seconds; each pause is twice as long as the one before ...
    longest_retry: float = 3600.0  # ... up to this
    days: float = 5.0  # after so many the sender is told that it did not succeed
    max_parcels: int = 10_000  # messages that wait, beyond which no more are taken for them

    def __post_init__(self) -> None:
        if min(self.first_retry, self.longest_retry) <= 0:
            raise ValueError("first_retry and longest_retry must be more than 0")

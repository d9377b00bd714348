"""What an operator may set for mailing lists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListSettings:
    """The section ``[lists]``. How bounces are counted: see ``directory/mailing_list_store.py``."""

    base_url: str = ""  # https, of the page where one click unsubscribes; empty: by mail only
    max_bounces: int = 5  # a member with this many bounces ...
    bounce_days: float = 14.0  # ... within this many days is suspended
    bounce_hours: float = 20.0  # bounces closer together than this count as one
    confirm_days: float = 3.0  # how long a request may be confirmed
    held_days: float = 30.0  # how long a post waits for an owner's decision
    max_held: int = 500  # posts of one list that wait for one

    def __post_init__(self) -> None:
        if self.base_url and not self.base_url.startswith("https://"):
            raise ValueError("base_url must begin with https:// (RFC 8058 §3.1)")
        if not self.base_url.isascii() or any(sign in self.base_url for sign in " <>,\r\n"):
            raise ValueError("base_url must be a URL")

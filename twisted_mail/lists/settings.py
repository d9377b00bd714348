"""What an operator may set for mailing lists."""

from dataclasses import dataclass


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

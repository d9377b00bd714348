"""What can be configured of the store: the section ``[store]``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How much an account may hold, in octets and messages (0: any number), and what is kept.

    Messages that were expunged can be brought back for ``undelete_days`` (0: not at all).
    """

    quota_bytes: int = 0
    quota_messages: int = 0
    undelete_days: int = 14

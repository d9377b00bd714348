"""What can be configured of the store: the section ``[store]``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How much an account may hold, in octets and messages (0: any number), and what is kept.

    Messages that were expunged can be brought back for ``undelete_days`` (0: not at all).

    With ``search`` an index of texts is kept, of at most ``search_text_limit`` characters of each
    message; a longer one is read when the index does not show whether it holds what is searched for.
    """

    quota_bytes: int = 0
    quota_messages: int = 0
    undelete_days: int = 14
    search: bool = True
    search_text_limit: int = 1_000_000

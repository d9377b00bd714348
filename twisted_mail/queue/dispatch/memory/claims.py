"""Recipients who are being worked on, so that nobody else takes them meanwhile."""

Key = tuple[str, int]  # job id and number


class Claims:
    """Recipients who were taken and are not noted yet.

    What a word of the operator does to one of them meanwhile counts for more than how its attempt ends.
    """

    def __init__(self) -> None:
        self._held: set[Key] = set()
        self._overruled: set[Key] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def take(self, key: Key) -> bool:
        """Take a recipient; return whether nobody else has it."""
        if key in self._held:
            return False
        self._held.add(key)
        return True

    def overrule(self, key: Key) -> None:
        """Note that a word has altered a recipient, if it was taken."""
        if key in self._held:
            self._overruled.add(key)

    @property
    def any_overruled(self) -> bool:
        """Return whether any of them was altered by a word."""
        return bool(self._overruled)

    def is_overruled(self, key: Key) -> bool:
        """Return whether a word has altered a recipient since it was taken."""
        return key in self._overruled

    def release(self, key: Key) -> None:
        """Give a recipient back."""
        self._held.discard(key)
        self._overruled.discard(key)

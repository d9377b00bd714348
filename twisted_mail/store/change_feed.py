"""The change bell: every alteration of an account is rung, and all who watch hear it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.interfaces import Watcher
from twisted_mail.mail.mailbox.change import Change, MailboxDeleted, MailboxRenamed

Report = Callable[[Exception], None]


@dataclass(slots=True, eq=False)
class _Subscriber:
    """One watcher; ``order`` is its place among all who watch."""

    order: int
    watcher: Watcher
    is_listening: bool = True


class ChangeFeed:
    """Hands every Change of one account to its watchers, in the order in which they began to watch.

    Everybody hears all changes in the order of ringing: one that is rung while another is handed out
    (by a watcher) waits its turn. A watcher hears what was rung between the beginning and the end of
    its watch, and nothing else.

    Exceptions of watchers go to ``report``; without it, ``publish`` raises them once all have heard.
    """

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._everywhere: dict[int, _Subscriber] = {}
        self._by_mailbox: dict[str, dict[int, _Subscriber]] = {}
        self._next_order = 0
        self._waiting: deque[tuple[Change, list[_Subscriber]]] = deque()
        self._is_ringing = False

    def watch(self, watcher: Watcher, mailbox: str | None = None) -> Callable[[], None]:
        """Hand changes of the account, or of one mailbox, to ``watcher``; return the end of it.

        Who watches a mailbox goes along when it is renamed, and hears nothing of a later mailbox of
        the same name once it is removed.
        """
        ears = self._everywhere if mailbox is None else self._by_mailbox.setdefault(mailbox, {})
        ear = _Subscriber(self._next_order, watcher)
        self._next_order += 1
        ears[ear.order] = ear

        def end() -> None:
            ear.is_listening = False
            ears.pop(ear.order, None)

        return end

    def publish(self, *changes: Change) -> None:
        """Hand out changes, in this order."""
        for change in changes:
            self._waiting.append((change, self._audience(change)))
            self._follow(change)
        if not self._is_ringing:
            self._deliver_pending()

    def _audience(self, change: Change) -> list[_Subscriber]:
        ears = {**self._everywhere, **self._by_mailbox.get(change.mailbox, {})}
        return [ears[order] for order in sorted(ears)]

    def _follow(self, change: Change) -> None:
        """Keep the watchers of a mailbox under its present name."""
        if isinstance(change, MailboxRenamed | MailboxDeleted):
            ears = self._by_mailbox.pop(change.mailbox, None)
            if ears and isinstance(change, MailboxRenamed):
                self._by_mailbox[change.new_name] = ears

    def _deliver_pending(self) -> None:
        errors: list[Exception] = []
        self._is_ringing = True
        try:
            while self._waiting:
                change, ears = self._waiting.popleft()
                for ear in ears:
                    _notify(ear, change, self._report or errors.append)
        finally:
            self._is_ringing = False
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("several watchers failed", errors)


def _notify(ear: _Subscriber, change: Change, report: Report) -> None:
    if not ear.is_listening:
        return
    try:
        ear.watcher(change)
    except Exception as error:
        report(error)

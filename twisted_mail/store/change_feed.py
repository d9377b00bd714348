"""The change feed: every change of an account is published, and all its watchers are called."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.interfaces import Watcher
from twisted_mail.mail.mailbox.change import Change, MailboxDeleted, MailboxRenamed

Report = Callable[[Exception], None]


@dataclass(slots=True, eq=False)
class _Subscriber:
    """One watcher; ``order`` is its place among all watchers."""

    order: int
    watcher: Watcher
    is_active: bool = True


class ChangeFeed:
    """Hands every Change of one account to its watchers, in the order in which they began to watch.

    All watchers get all changes in the order of publishing: one that a watcher publishes while another
    is handed out waits its turn. A watcher gets what was published between the beginning and the end of
    its watch, and nothing else.

    Exceptions of watchers go to ``report``; without it, ``publish`` raises them once all were called.
    """

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._everywhere: dict[int, _Subscriber] = {}
        self._by_mailbox: dict[str, dict[int, _Subscriber]] = {}
        self._next_order = 0
        self._waiting: deque[tuple[Change, list[_Subscriber]]] = deque()
        self._is_publishing = False

    def watch(self, watcher: Watcher, mailbox: str | None = None) -> Callable[[], None]:
        """Hand changes of the account, or of one mailbox, to ``watcher``; return the end of it.

        The watcher of a mailbox follows it when it is renamed, and gets nothing of a later mailbox of the
        same name once it is removed.
        """
        subscribers = (
            self._everywhere if mailbox is None else self._by_mailbox.setdefault(mailbox, {})
        )
        subscriber = _Subscriber(self._next_order, watcher)
        self._next_order += 1
        subscribers[subscriber.order] = subscriber

        def end() -> None:
            subscriber.is_active = False
            subscribers.pop(subscriber.order, None)

        return end

    def publish(self, *changes: Change) -> None:
        """Hand out changes, in this order."""
        for change in changes:
            self._waiting.append((change, self._audience(change)))
            self._follow(change)
        if not self._is_publishing:
            self._deliver_pending()

    def _audience(self, change: Change) -> list[_Subscriber]:
        subscribers = {**self._everywhere, **self._by_mailbox.get(change.mailbox, {})}
        return [subscribers[order] for order in sorted(subscribers)]

    def _follow(self, change: Change) -> None:
        """Keep the watchers of a mailbox under its present name."""
        if isinstance(change, MailboxRenamed | MailboxDeleted):
            subscribers = self._by_mailbox.pop(change.mailbox, None)
            if subscribers and isinstance(change, MailboxRenamed):
                self._by_mailbox[change.new_name] = subscribers

    def _deliver_pending(self) -> None:
        errors: list[Exception] = []
        self._is_publishing = True
        try:
            while self._waiting:
                change, subscribers = self._waiting.popleft()
                for subscriber in subscribers:
                    _notify(subscriber, change, self._report or errors.append)
        finally:
            self._is_publishing = False
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("several watchers failed", errors)


def _notify(subscriber: _Subscriber, change: Change, report: Report) -> None:
    if not subscriber.is_active:
        return
    try:
        subscriber.watcher(change)
    except Exception as error:
        report(error)

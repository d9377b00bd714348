"""Capabilities: the words for what the server can do (RFC 3501 §7.2.1).

The list is derived from the capabilities that the extensions bring, by the state of the connection,
by what the wire allows and by settings.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import Mechanism, TlsInfo


@dataclass(frozen=True, slots=True)
class CapabilityContext:
    """What a capability may depend on: nothing else, for the list is made once for each of these.

    The last three are as of the wire.
    """

    settings: Settings
    mechanisms: tuple[Mechanism, ...]
    is_authenticated: bool
    tls_info: TlsInfo | None
    may_start_tls: bool
    takes_passwords: bool


Condition = Callable[[CapabilityContext], bool]


def always(context: CapabilityContext) -> bool:
    """Return True: offered in every state."""
    return True


def before_login(context: CapabilityContext) -> bool:
    """Return whether the client has not logged in yet."""
    return not context.is_authenticated


def after_login(context: CapabilityContext) -> bool:
    """Return whether the client has logged in.

    For most capabilities: the list is kept short before login, where they are of no use, and each
    greeting carries it.
    """
    return context.is_authenticated


@dataclass(frozen=True, slots=True)
class Capability:
    """One keyword, and when it is offered.

    ``values`` returns what follows ``keyword=``: one word of the list for each value, none for none. A
    capability ``is_enableable`` when a client switches it on with ENABLE (RFC 5161).
    """

    keyword: str
    is_offered: Condition = after_login
    values: Callable[[CapabilityContext], Iterable[str]] | None = None
    is_enableable: bool = False

    def words(self, context: CapabilityContext) -> list[str]:
        """Return the words of the list."""
        if not self.is_offered(context):
            return []
        if self.values is None:
            return [self.keyword]
        return [f"{self.keyword}={value}" for value in self.values(context)]

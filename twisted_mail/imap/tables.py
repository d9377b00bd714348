"""The tables in which commands look up what the base and the extensions bring."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twisted_mail.imap.capabilities import Capability, CapabilityContext
from twisted_mail.imap.fetch.plan_cache import FetchPlans
from twisted_mail.imap.mailboxes.responses import CreateCode, SelectResponse
from twisted_mail.imap.mailboxes.return_options import ReturnOption
from twisted_mail.imap.mailboxes.status_items import StatusItem
from twisted_mail.imap.search.key import SearchKey

_MAX_LINES = 100  # lists of capabilities that are remembered: one for each kind of connection


@dataclass(frozen=True, slots=True)
class SessionTables:
    """What one service knows, by name in upper case; made once, shared by all its sessions."""

    capabilities: tuple[Capability, ...]
    fetch_plans: FetchPlans
    search_keys: Mapping[str, SearchKey]
    status_items: Mapping[str, StatusItem]
    select_responses: tuple[SelectResponse, ...]
    create_code: CreateCode | None
    return_options: Mapping[str, ReturnOption]
    _lines: dict[CapabilityContext, str] = field(default_factory=dict, init=False, repr=False)

    def capability_line(self, context: CapabilityContext) -> str:
        """Return the list of capabilities in a state of the connection."""
        line = self._lines.get(context)
        if line is None:
            line = " ".join([word for each in self.capabilities for word in each.words(context)])
            if len(self._lines) < _MAX_LINES:
                self._lines[context] = line
        return line

    @property
    def enableable(self) -> frozenset[str]:
        """Return the keywords that ENABLE knows."""
        return frozenset(each.keyword for each in self.capabilities if each.is_enableable)

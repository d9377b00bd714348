"""The filters that the configuration names, and the policy that asks them."""

from collections.abc import Sequence
from typing import Any

from twisted_mail.config import Config, FilterConfig
from twisted_mail.interfaces import Clock, Filter, Journal
from twisted_mail.mail.verdict import Decision
from twisted_mail.plugin import ServerBackend, filters
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.workers.shared_services import SharedServices


class FilterAssembly:
    """The filters of the configuration in force, and of those before it.

    ``made`` has all of them, and a filter's number is its place there. It never gets shorter, as
    conversations go on with the filters they began with.
    """

    def __init__(self, shared: SharedServices) -> None:
        self._shared = shared
        self._configured: list[FilterConfig] = []  # one for each of ``made``
        self.made: list[Filter] = []

    def make(self, configured: Sequence[FilterConfig], backend: ServerBackend) -> list[int]:
        """Return the numbers of filters, in the order of the configuration.

        A filter that is configured as before is the same object as before: it goes on counting.
        """
        return [self._number(at, one, backend) for at, one in enumerate(configured)]

    def _number(self, at: int, configured: FilterConfig, backend: ServerBackend) -> int:
        if configured not in self._configured:
            made = self._make_filter(at, configured, backend)
            self._configured.append(configured)
            self.made.append(made)
        return self._configured.index(configured)

    def _make_filter(self, at: int, configured: FilterConfig, backend: ServerBackend) -> Filter:
        plugin: Any = filters()[configured.kind]
        made: Filter = plugin.make(configured.settings, backend)
        return self._shared.filter(at, made) if getattr(plugin, "is_common", False) else made


def make_policy(
    config: Config, made: Sequence[Filter], clock: Clock, journal: Journal
) -> FilterChain:
    """Return the policy that asks the filters, each with its rules of the configuration."""
    return FilterChain(clock, journal, list(map(_configure, config.filters, made)))


def _configure(one: FilterConfig, made: Filter) -> ConfiguredFilter:
    decision = Decision(one.when_failed)
    return ConfiguredFilter(one.name, made, one.services, one.seconds, decision)

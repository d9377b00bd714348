"""The filters that the configuration names, and the policy that asks them."""

from collections.abc import Sequence
from typing import Any

from twisted_mail.config import Config, FilterConfig
from twisted_mail.interfaces import Clock, Filter, Journal
from twisted_mail.mail.verdict import Decision
from twisted_mail.plugin import ServerBackend, filters
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.workers.shared import SharedServices


def make_filters(
    configured: Sequence[FilterConfig], backend: ServerBackend, shared: SharedServices
) -> list[Filter]:
    """Return the filters, in the order of the configuration."""
    return [_make_filter(number, one, backend, shared) for number, one in enumerate(configured)]


def _make_filter(
    number: int, configured: FilterConfig, backend: ServerBackend, shared: SharedServices
) -> Filter:
    plugin: Any = filters()[configured.kind]
    made: Filter = plugin.make(configured.settings, backend)
    return shared.filter(number, made) if getattr(plugin, "is_common", False) else made


def make_policy(
    config: Config, made: Sequence[Filter], clock: Clock, journal: Journal
) -> FilterChain:
    """Return the policy that asks the filters, each with its rules of the configuration."""
    return FilterChain(clock, journal, list(map(_configure, config.filters, made)))


def _configure(one: FilterConfig, made: Filter) -> ConfiguredFilter:
    decision = Decision(one.when_failed)
    return ConfiguredFilter(one.name, made, one.services, one.seconds, decision)

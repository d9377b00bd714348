"""The steps that the configuration adds to the arrival of messages."""

from collections.abc import Sequence
from typing import Any

from twisted_mail.config import ArrivalStepConfig
from twisted_mail.plugin import ServerBackend, arrival_steps
from twisted_mail.smtp.backend import AddedStep, ArrivalStep


def make_added_steps(
    configured: Sequence[ArrivalStepConfig], backend: ServerBackend
) -> list[AddedStep]:
    """Return the steps of plugins, in the order of the configuration."""
    return [_make_step(one, backend) for one in configured]


def _make_step(configured: ArrivalStepConfig, backend: ServerBackend) -> AddedStep:
    plugin: Any = arrival_steps()[configured.kind]
    step = ArrivalStep(configured.kind, plugin.make(configured.settings, backend))
    return AddedStep(step, configured.services, plugin.before, plugin.after)

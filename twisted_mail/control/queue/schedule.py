"""When mail is tried again, as the configuration has it."""

from twisted_mail.config import Config
from twisted_mail.queue.dispatch.settings import ScheduleSettings


def schedule_settings(config: Config) -> ScheduleSettings:
    """Return the settings of the schedule."""
    return ScheduleSettings()

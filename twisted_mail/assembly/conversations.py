"""What conversations are made of: logins, filters, added steps, settings of services, certificates.

It follows from the doors of the process and one configuration, and is made anew when that is read again;
conversations go on with what they began with.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from twisted_mail.assembly.arrival_steps import make_added_steps
from twisted_mail.assembly.filters import FilterAssembly, make_policy
from twisted_mail.assembly.listeners import ListenerAssembly, ListenerDependencies
from twisted_mail.assembly.logins import LoginAssembly, LoginDependencies
from twisted_mail.config import Config
from twisted_mail.plugin import ServerBackend
from twisted_mail.policy.filter_chain import FilterChain


@dataclass(frozen=True, slots=True)
class ConversationDependencies:
    """What stays while the server runs.

    ``make_backend`` takes the doors that follow from the configuration, logins and policy, and adds all
    others.
    """

    make_backend: Callable[..., ServerBackend]
    logins: LoginDependencies
    filters: FilterAssembly
    listeners: ListenerDependencies


class ConversationAssembly:
    """``backend`` is what services are made with, ``listeners`` makes the factories of conversations.

    ``filter_numbers`` are those of the filters (``FilterAssembly``). Raises what makers of plugins do.
    """

    def __init__(self, config: Config, parts: ConversationDependencies) -> None:
        clock, journal = parts.logins.clock, parts.logins.journal
        made = LoginAssembly(config, parts.logins)
        doors = parts.make_backend(
            assume_login=made.realm.assume,
            login_mailboxes=made.logins.mailboxes,
            login_maildrop=made.logins.maildrop,
            login_submitter=made.logins.submitter,
            policy=FilterChain(clock, journal),  # filters are made from the other doors
        )
        self.filter_numbers = tuple(parts.filters.make(config.filters, doors))
        filters = [parts.filters.made[number] for number in self.filter_numbers]
        self.backend = replace(
            doors,
            policy=make_policy(config, filters, clock, journal),
            added_steps=make_added_steps(config.arrival_steps, doors),
        )
        self.listeners = ListenerAssembly(config, self.backend, parts.listeners)

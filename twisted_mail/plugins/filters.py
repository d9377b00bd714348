"""The filters that come with the server."""

from twisted_mail.plugin import BuiltinFilter
from twisted_mail.policy.checks.dnsbl import DnsListCheck, DnsListSettings
from twisted_mail.policy.checks.helo import HeloCheck, HeloSettings
from twisted_mail.policy.checks.reverse_dns import ReverseDnsCheck, ReverseDnsSettings
from twisted_mail.policy.checks.sender_domain import SenderDomainCheck, SenderDomainSettings
from twisted_mail.policy.greylist import Greylist, GreylistSettings
from twisted_mail.policy.limits.account_sizes import AccountLimits, AccountLimitSettings
from twisted_mail.policy.limits.concurrency import ConcurrencyLimits, ConcurrencySettings
from twisted_mail.policy.limits.rates import RateLimits, RateSettings

reverse_name_filter = BuiltinFilter(
    "reverse-name",
    "Does the client's address have a name that leads back to it?",
    ReverseDnsSettings,
    lambda settings, backend: ReverseDnsCheck(settings, backend.resolver),
)
hello_filter = BuiltinFilter(
    "hello",
    "Is what the client calls itself in HELO a name, and could it be its own?",
    HeloSettings,
    lambda settings, backend: HeloCheck(
        settings, backend.resolver, backend.directory, (backend.hostname,)
    ),
)
sender_domain_filter = BuiltinFilter(
    "sender-domain",
    "Does the sender's domain exist, and take mail?",
    SenderDomainSettings,
    lambda settings, backend: SenderDomainCheck(settings, backend.resolver, backend.directory),
)
dns_list_filter = BuiltinFilter(
    "dns-list",
    "Do DNS block lists or allow lists have the client, its name or the sender?",
    DnsListSettings,
    lambda settings, backend: DnsListCheck(
        settings, backend.resolver, backend.clock, backend.journal
    ),
)
greylist_filter = BuiltinFilter(
    "greylist",
    "Asks those who are not known yet to come again in a minute.",
    GreylistSettings,
    lambda settings, backend: Greylist(
        settings, backend.clock, backend.blocking, backend.journal, backend.state
    ),
)
rates_filter = BuiltinFilter(
    "rates",
    "How many connections, messages, recipients and octets may anybody send in a time?",
    RateSettings,
    lambda settings, backend: RateLimits(settings, backend.clock),
    is_common=True,
)
concurrency_filter = BuiltinFilter(
    "concurrency",
    "How many connections may anybody have at a time?",
    ConcurrencySettings,
    lambda settings, backend: ConcurrencyLimits(settings),
    is_common=True,
)
account_limits_filter = BuiltinFilter(
    "account-limits",
    "How large may the messages be that an account sends or gets, and for how many?",
    AccountLimitSettings,
    lambda settings, backend: AccountLimits(settings, backend.router),
)

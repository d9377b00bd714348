"""The filters of our own house."""

from twisted_mail.plugin import RoomFilter
from twisted_mail.policy.account_sizes import AccountLimits, SizeSettings
from twisted_mail.policy.concurrency import Concurrency, ConcurrencySettings
from twisted_mail.policy.dnsbl import DnsListCheck, DnsListSettings
from twisted_mail.policy.greylist import Greylist, GreylistSettings
from twisted_mail.policy.helo import HelloCheck, HelloSettings
from twisted_mail.policy.rates import Rates, RateSettings
from twisted_mail.policy.reverse_dns import ReverseCheck, ReverseSettings
from twisted_mail.policy.sender_domain import SenderCheck, SenderSettings

reverse_name_filter = RoomFilter(
    "reverse-name",
    "Does the client's address have a name that leads back to it?",
    ReverseSettings,
    lambda settings, doors: ReverseCheck(settings, doors.resolver),
)
hello_filter = RoomFilter(
    "hello",
    "Is what the client calls itself in HELO a name, and could it be its own?",
    HelloSettings,
    lambda settings, doors: HelloCheck(
        settings, doors.resolver, doors.directory, (doors.hostname,)
    ),
)
sender_domain_filter = RoomFilter(
    "sender-domain",
    "Does the sender's domain exist, and take mail?",
    SenderSettings,
    lambda settings, doors: SenderCheck(settings, doors.resolver, doors.directory),
)
dns_list_filter = RoomFilter(
    "dns-list",
    "Do DNS block lists or allow lists have the client, its name or the sender?",
    DnsListSettings,
    lambda settings, doors: DnsListCheck(settings, doors.resolver, doors.clock, doors.journal),
)
greylist_filter = RoomFilter(
    "greylist",
    "Asks those who are not known yet to come again in a minute.",
    GreylistSettings,
    lambda settings, doors: Greylist(
        settings, doors.clock, doors.blocking, doors.journal, doors.state
    ),
)
rates_filter = RoomFilter(
    "rates",
    "How many connections, messages, recipients and octets may anybody send in a time?",
    RateSettings,
    lambda settings, doors: Rates(settings, doors.clock),
    is_common=True,
)
concurrency_filter = RoomFilter(
    "concurrency",
    "How many connections may anybody have at a time?",
    ConcurrencySettings,
    lambda settings, doors: Concurrency(settings),
    is_common=True,
)
account_limits_filter = RoomFilter(
    "account-limits",
    "How large may the messages be that an account sends or gets, and for how many?",
    SizeSettings,
    lambda settings, doors: AccountLimits(settings, doors.router),
)

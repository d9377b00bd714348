"""Every door between rooms: the plan of the house, a file for each subject.

A room uses another only through one of these protocol classes (``typing.Protocol``), and passes values
of ``mail``. What fulfils a door needs its methods and no base class. Doors are bulk: one call for a
thousand messages. Every coroutine may raise ``Unavailable``; what else a method raises, it says.

Sessions await nothing but these doors, so they run without a reactor. The few functions here are what
every protocol does with a door: ``authenticate``, ``usable_mechanisms``, ``read_before``.
"""

from twisted_mail.interfaces.carrier import Carrier, CarrierBackend, Site, SiteLimits, Work
from twisted_mail.interfaces.delivery import Delivery, DomainCheck, Queue, Router
from twisted_mail.interfaces.event_journal import DialogueJournal, Journal, QueueJournal
from twisted_mail.interfaces.files import DurableFiles
from twisted_mail.interfaces.lists import MailingListStore
from twisted_mail.interfaces.login import (
    ANYBODY,
    VALID_SECONDS,
    AssumedLogin,
    AvatarT,
    Directory,
    Login,
    LoginAttempt,
    LoginLine,
    Mailboxes,
    Maildrop,
    Submitter,
)
from twisted_mail.interfaces.operator import (
    AlteredSpool,
    DamagedRecipient,
    Dispatching,
    SelectedPage,
    SelectedRecipient,
    WordStore,
)
from twisted_mail.interfaces.outgoing_connections import (
    ClientConnection,
    Connector,
    HostWire,
    HttpClient,
    HttpResponse,
    TlsFailed,
)
from twisted_mail.interfaces.policy import Filter, Policy, SmtpContext, StatefulFilter
from twisted_mail.interfaces.queue import ListAdmission, Mailer
from twisted_mail.interfaces.renderer import Renderer
from twisted_mail.interfaces.reports import (
    ReportAction,
    ReportedRecipient,
    Reports,
    WrittenReports,
)
from twisted_mail.interfaces.resolver import Resolver
from twisted_mail.interfaces.sasl import Exchange, Mechanism, authenticate, usable_mechanisms
from twisted_mail.interfaces.spool import (
    HELD_PAGE,
    DestinationSummary,
    DueRecipient,
    HeldPage,
    HeldPlace,
    HeldRecipient,
    JobSpool,
    LoadedJob,
    SiteRecord,
    SpoolChange,
    SpoolCounts,
    UnreportedPage,
    UnreportedPlace,
)
from twisted_mail.interfaces.store import Account, BlobWriter, Mailbox, Store, Watcher
from twisted_mail.interfaces.system import (
    Blocking,
    Clock,
    FaultReport,
    FolderEvent,
    FolderMonitor,
    FolderObserver,
    Signal,
    Tasks,
    unreported,
)
from twisted_mail.interfaces.trust import (
    FoundHost,
    FoundHosts,
    HostDemands,
    PolicyFetch,
    PolicyStore,
    PolicyStoreFailed,
    StoredPolicy,
)
from twisted_mail.interfaces.wire import (
    ConversationEnded,
    Outlet,
    Peer,
    Session,
    TlsInfo,
    Wire,
    read_before,
)

__all__ = [
    "ANYBODY",
    "HELD_PAGE",
    "VALID_SECONDS",
    "Account",
    "AlteredSpool",
    "AssumedLogin",
    "AvatarT",
    "BlobWriter",
    "Blocking",
    "Carrier",
    "CarrierBackend",
    "ClientConnection",
    "Clock",
    "Connector",
    "ConversationEnded",
    "DamagedRecipient",
    "Delivery",
    "DestinationSummary",
    "DialogueJournal",
    "Directory",
    "Dispatching",
    "DomainCheck",
    "DueRecipient",
    "DurableFiles",
    "Exchange",
    "FaultReport",
    "Filter",
    "FolderEvent",
    "FolderMonitor",
    "FolderObserver",
    "FoundHost",
    "FoundHosts",
    "HeldPage",
    "HeldPlace",
    "HeldRecipient",
    "HostDemands",
    "HostWire",
    "HttpClient",
    "HttpResponse",
    "JobSpool",
    "Journal",
    "ListAdmission",
    "LoadedJob",
    "Login",
    "LoginAttempt",
    "LoginLine",
    "Mailbox",
    "Mailboxes",
    "Maildrop",
    "Mailer",
    "MailingListStore",
    "Mechanism",
    "Outlet",
    "Peer",
    "Policy",
    "PolicyFetch",
    "PolicyStore",
    "PolicyStoreFailed",
    "Queue",
    "QueueJournal",
    "Renderer",
    "ReportAction",
    "ReportedRecipient",
    "Reports",
    "Resolver",
    "Router",
    "SelectedPage",
    "SelectedRecipient",
    "Session",
    "Signal",
    "Site",
    "SiteLimits",
    "SiteRecord",
    "SmtpContext",
    "SpoolChange",
    "SpoolCounts",
    "StatefulFilter",
    "Store",
    "StoredPolicy",
    "Submitter",
    "Tasks",
    "TlsFailed",
    "TlsInfo",
    "UnreportedPage",
    "UnreportedPlace",
    "Watcher",
    "Wire",
    "WordStore",
    "Work",
    "WrittenReports",
    "authenticate",
    "read_before",
    "unreported",
    "usable_mechanisms",
]

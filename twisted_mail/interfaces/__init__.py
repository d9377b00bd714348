"""Every door between rooms.

A room reaches another only through one of these, with values of ``mail`` as its words. Doors are
``typing.Protocol``: what is handed in needs the shape and no base class. Doors are bulk: one call for
a thousand messages. Every coroutine may raise ``Unavailable``; what else it raises is said here.

Sessions are coroutines that await nothing but these doors, so they run without a reactor.

One file for each subject.
"""

from twisted_mail.interfaces.clients import Dialing, HttpAnswer, Line, Posting
from twisted_mail.interfaces.delivery import Delivery, Queue, Router
from twisted_mail.interfaces.journal import Journal
from twisted_mail.interfaces.lists import Rolls
from twisted_mail.interfaces.login import (
    Adoption,
    Directory,
    Exchange,
    Face,
    Login,
    Mailboxes,
    Maildrop,
    Mechanism,
    Submitter,
)
from twisted_mail.interfaces.policy import Filter, Policy, Visit
from twisted_mail.interfaces.resolver import Resolver
from twisted_mail.interfaces.store import Account, BlobWriter, Mailbox, Renderer, Store, Watcher
from twisted_mail.interfaces.system import Blocking, Clock, Onlooker, Sight, Watching
from twisted_mail.interfaces.wire import Ending, Outlet, Peer, Privacy, Session, Wire

__all__ = [
    "Account",
    "Adoption",
    "BlobWriter",
    "Blocking",
    "Clock",
    "Delivery",
    "Dialing",
    "Directory",
    "Ending",
    "Exchange",
    "Face",
    "Filter",
    "HttpAnswer",
    "Journal",
    "Line",
    "Login",
    "Mailbox",
    "Mailboxes",
    "Maildrop",
    "Mechanism",
    "Onlooker",
    "Outlet",
    "Peer",
    "Policy",
    "Posting",
    "Privacy",
    "Queue",
    "Renderer",
    "Resolver",
    "Rolls",
    "Router",
    "Session",
    "Sight",
    "Store",
    "Submitter",
    "Visit",
    "Watcher",
    "Watching",
    "Wire",
]

"""Which reports are due: RFC 3461 §5.2 by its letter, and what RFC 2852 adds.

All are pure and cheap: of nearly all mail nobody wants to hear that it arrived.
"""

from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.envelope import DeliverBy, DsnRequest, NotifyEvent
from twisted_mail.mail.queued.job import JobKind, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.route import ProgramTarget

DSN, DELIVERBY = "DSN", "DELIVERBY"  # keywords of EHLO

_EVENTS: dict[ReportAction, NotifyEvent] = {
    ReportAction.FAILED: "FAILURE",
    ReportAction.DELAYED: "DELAY",
    ReportAction.DELIVERED: "SUCCESS",
    ReportAction.RELAYED: "SUCCESS",
    ReportAction.EXPANDED: "SUCCESS",
}
# What NOTIFY means where it was not given (RFC 3461 §4.1).
_USUAL = frozenset((ReportAction.FAILED, ReportAction.DELAYED))


def is_wanted(action: ReportAction, request: DsnRequest) -> bool:
    """Return whether the sender wants to hear of this about a recipient (RFC 3461 §5.2)."""
    if request.events is None:
        return action in _USUAL
    return _EVENTS[action] in request.events


def success_action(job: QueuedJob, recipient: OwedRecipient) -> ReportAction | None:
    """Return what is to be reported of a recipient who is served, or None.

    ``recipient.last`` is the attempt that succeeded: it knows what the next hop takes over.
    """
    deliver_by = job.mail_parameters.deliver_by
    if deliver_by is None and recipient.dsn_request.events is None:  # nearly all mail
        return None
    action = ReportAction.DELIVERED
    if isinstance(recipient.target, RemoteTarget | ProgramTarget):
        action = ReportAction.RELAYED
        if deliver_by is not None and _is_relay_reported(deliver_by, recipient):
            return action
        if _takes_over(recipient, DSN):
            return None  # it was passed on, and reported where it arrives (RFC 3461 §5.2.1)
    return action if is_wanted(action, recipient.dsn_request) else None


def may_be_delayed(job: QueuedJob, recipient: OwedRecipient) -> bool:
    """Return whether a notice of delay about a recipient may be written at all (RFC 3461 §5.2.5).

    A list's bounces count failures, and nobody is to know that a report is late.
    """
    if job.kind is JobKind.REPORT or job.sender.is_null or recipient.sender is not None:
        return False
    return is_wanted(ReportAction.DELAYED, recipient.dsn_request)


def is_due(job: QueuedJob, told: ReportedRecipient) -> bool:
    """Return whether this is to be reported, of a report that failed to the postmaster."""
    recipient, deliver_by = told.recipient, job.mail_parameters.deliver_by
    if job.kind is JobKind.REPORT:
        return told.action is ReportAction.FAILED
    if told.action is ReportAction.DELAYED:
        return may_be_delayed(job, recipient)
    is_relayed = told.action is ReportAction.RELAYED
    if is_relayed and deliver_by is not None and _is_relay_reported(deliver_by, recipient):
        return True
    return is_wanted(told.action, recipient.dsn_request)


def _is_relay_reported(deliver_by: DeliverBy, recipient: OwedRecipient) -> bool:
    """Return whether handing on is reported though nobody asked for it (RFC 2852 §4.1.4).

    That is so of each hop for mail that is traced, and where the next hop does not know of the time by
    which the message is to be delivered. Not of NOTIFY=NEVER.
    """
    if recipient.dsn_request.events == frozenset():
        return False
    if deliver_by.is_traced:
        return True
    in_time = recipient.last is not None and recipient.last.at < deliver_by.deadline
    return in_time and not deliver_by.is_returned and not _takes_over(recipient, DELIVERBY)


def _takes_over(recipient: OwedRecipient, keyword: str) -> bool:
    return recipient.last is not None and keyword in recipient.last.keywords

"""The greeting (RFC 5321 §3.1)."""

from dataclasses import replace

from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.session import SmtpSession


async def greet(session: SmtpSession) -> None:
    """Send 220, or, to a client that is not wanted, 554 or 421."""
    refusal = await filter_stages.at_connection(session)
    if refusal is None:
        words = f"{session.backend.hostname} {session.settings.protocol} twisted_mail ready"
        session.wire.write(f"220 {words}\r\n".encode())
        return
    session.refuse_mail(replace(refusal, code=421 if refusal.is_temporary else 554))
    session.end_reason = "policy"

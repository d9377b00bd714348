"""The certificates, as ``twisted-mail check`` sees them."""

from collections.abc import Iterator

from twisted_mail.config import Config
from twisted_mail.control.checks import certificate_files
from twisted_mail.control.checks.note import Note


def certificate_notes(config: Config) -> Iterator[Note]:
    """Check the files in the folder of certificates, and that one is for the host."""
    wanted = [listener for listener in config.listeners if listener.tls != "none"]
    try:
        findings = certificate_files.inspect_folder(config.tls.folder)
    except OSError as error:
        if wanted:
            yield Note("fault", "certificates", f"{config.tls.folder}: {error.strerror}")
        return
    for finding in findings:
        yield from _certificate(finding)
    usable = [finding for finding in findings if not finding.faults]
    if wanted and not usable:
        yield Note("fault", "certificates", f"{config.tls.folder} has none that can be used")
    elif usable and not any(certificate_files.covers(one, config.hostname) for one in usable):
        yield Note("warning", "certificates", f"none is for {config.hostname}")


def _certificate(finding: certificate_files.CertificateFinding) -> Iterator[Note]:
    subject = f"certificate {finding.path.name}"
    for fault in finding.faults:
        yield Note("fault", subject, fault)
    for warning in finding.warnings:
        yield Note("warning", subject, warning)
    if not finding.faults and not finding.warnings and finding.expires:
        names = ", ".join(finding.names) or "no names"
        yield Note("fine", subject, f"for {names}, until {finding.expires:%Y-%m-%d}")

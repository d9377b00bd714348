"""The commands about certificates."""

import argparse
from collections.abc import Callable

from twisted_mail.config import Config
from twisted_mail.control.checks import certificate_files
from twisted_mail.control.output import CommandError, CommandResult, table
from twisted_mail.control.setup import certificates


def certificate_list(_: argparse.Namespace, config: Config) -> CommandResult:
    """List the certificates of the folder."""
    findings = certificate_files.inspect_folder(config.tls.folder)
    cells = [
        (
            one.path.name,
            f"{one.expires:%Y-%m-%d}" if one.expires else "-",
            ", ".join(one.names) or "-",
            "; ".join((*one.faults, *one.warnings)) or "fine",
        )
        for one in findings
    ]
    data = [
        {
            "file": str(one.path),
            "expires": one.expires.isoformat() if one.expires else None,
            "names": list(one.names),
            "faults": list(one.faults),
            "warnings": list(one.warnings),
        }
        for one in findings
    ]
    lines = table(("FILE", "UNTIL", "FOR", "STATE"), cells) or ["there are no certificates"]
    return CommandResult({"certificates": data}, lines)


def certificate_renew(_: argparse.Namespace, config: Config) -> CommandResult:
    """Make a new certificate for the hostname, signed by the authority that init made."""
    try:
        path = certificates.renew(config.tls.folder, config.hostname)
    except FileNotFoundError as error:
        text = f"{error.filename} is missing: only certificates that init made are renewed here"
        raise CommandError(text) from None
    except (ValueError, TypeError) as error:
        raise CommandError(f"the authority cannot be used: {error}") from None
    lines = [f"{path} is new; the server takes it up within seconds, open sessions stay"]
    return CommandResult({"certificate": str(path)}, lines)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``certificate``."""
    command("list", certificate_list, "list the certificates")
    command("renew", certificate_renew, "renew the one for the hostname that init made")

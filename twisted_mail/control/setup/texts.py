"""The texts that ``twisted-mail init`` writes: the configuration, and what to do next."""

import json
import os
from collections.abc import Sequence

from twisted_mail.control.setup import certificates
from twisted_mail.control.setup.plan import PORTS, ListenerPort, SetupPlan

HEAD = """\
# The configuration of twisted-mail.
#
# Options that are not here have their defaults; etc/mail.toml of the source explains them all.
# After a change:  twisted-mail --config {path} check
# and then, if the server runs:  twisted-mail --config {path} reload
# Additions can be put into {name}.d/*.toml next to this file.

# The name other mail servers know this one by; its certificate is for this name too.
hostname = {hostname}

# Mail for these stays here; "twisted-mail domain add" adds more without a restart. Users of the first
# may log in without the part after the @.
domains = {domains}

# Where accounts and mail are kept. Relative paths begin at the folder of this file.
state = {state}

[tls]
# Each *.pem file here, in the state folder, is a private key with its certificates. New files are
# seen within seconds.
folder = "tls"

[addresses]
# Who gets the mail for the postmaster of each domain that has no other: every domain takes it.
{postmaster}
"""
LISTENER = """
[[listener]]  # {purpose}
service = {service}
endpoint = {endpoint}
tls = {tls}
"""


def config_text(plan: SetupPlan) -> str:
    """Return the configuration file."""
    state = plan.state
    if state.is_relative_to(plan.folder):
        state = state.relative_to(plan.folder)
    head = HEAD.format(
        path=plan.config,
        name=plan.config.name,
        hostname=_toml(plan.hostname),
        domains=json.dumps(plan.domains),
        state=_toml(str(state)),
        postmaster=_postmaster(plan),
    )
    return head + "".join(_listener_text(plan, port) for port in PORTS)


def _postmaster(plan: SetupPlan) -> str:
    example = f"postmaster@{plan.domains[0]}"
    line = f"postmaster = {_toml(plan.account or example)}"
    return line if plan.account else f"# {line}"


def _listener_text(plan: SetupPlan, port: ListenerPort) -> str:
    interface = plan.interface.replace(":", "\\:")
    endpoint = f"tcp:{plan.port(port)}" + (f":interface={interface}" if interface else "")
    return LISTENER.format(
        purpose=port.purpose,
        service=_toml(port.service),
        endpoint=_toml(endpoint),
        tls=_toml("implicit" if port.is_implicit else "starttls"),
    )


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # every JSON string is a TOML string


def next_steps(plan: SetupPlan, is_shown: bool) -> Sequence[str]:
    """Return what to do next, with the password if ``is_shown``."""
    lines = [f"{plan.config} is written, with certificates and {plan.state} next to it.", ""]
    if plan.account:
        secret = plan.password if is_shown else "the password you gave"
        lines += [f"  account   {plan.account}", f"  password  {secret}", ""]
    else:
        lines += [f"Make an account: twisted-mail --config {plan.config} account add NAME", ""]
    ports = {port.purpose: plan.port(port) for port in PORTS if port.is_implicit}
    submission, pop3, imap = ports.values()
    lines += [
        "Next:",
        f"  1. look at the file, then:  twisted-mail --config {plan.config} check",
        f"  2. start the server:        {_start(plan)}",
        *(
            f"  3. publish in the DNS:      {name}. IN MX 10 {plan.hostname}."
            for name in plan.domains
        ),
        f"  4. mail programs use TLS:   {plan.hostname}, IMAP {imap}, POP3 {pop3}, SMTP {submission}",
        "",
        f"The certificate is signed by {plan.tls / certificates.AUTHORITY}: let mail",
        f"programs trust that file, or put a public key and chain at {plan.certificate}.",
    ]
    if os.geteuid() == 0 and not plan.owner:
        lines.append(
            "The server should not be root: make a user for it, and say --owner USER here."
        )
    if os.geteuid() != 0 and not plan.is_high:
        lines.append("Ports below 1024 need root or systemd; --high-ports does without.")
    return lines


def _start(plan: SetupPlan) -> str:
    """Return the command that starts the server; as root it gives root's rights up."""
    user = f" --uid {plan.owner}" if plan.owner else ""
    return f"twistd --nodaemon{user} --pidfile= mailserver --config {plan.config}"

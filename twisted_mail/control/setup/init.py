"""``twisted-mail init``: a configuration, a certificate, a state folder and a first account."""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from twisted_mail.config import Config, load
from twisted_mail.control.directory import opened
from twisted_mail.control.output import CommandError, CommandResult
from twisted_mail.control.setup import certificates
from twisted_mail.control.setup.plan import SetupPlan, planned
from twisted_mail.control.setup.texts import config_text, next_steps
from twisted_mail.directory import schema

ABUSE = "abuse"  # where complaints go (RFC 2142 §4); the configuration says who is the postmaster


def init(options: argparse.Namespace) -> CommandResult:
    """Make everything that a new server needs; overwrite nothing. Raises CommandError."""
    plan = planned(options)
    _refuse_to_overwrite(plan)
    _make_folder(plan.folder, 0o755 if plan.owner else 0o700)
    _make_folder(plan.state, 0o700)
    certificates.make(plan.tls, plan.hostname)
    plan.config.write_text(config_text(plan), encoding="utf-8")
    config = load(plan.config)
    _fill_directory(plan, config)
    _give_away(plan)
    data = {
        "config": str(plan.config),
        "state": str(plan.state),
        "authority": str(plan.tls / certificates.AUTHORITY),
        "hostname": plan.hostname,
        "domains": list(plan.domains),
        "account": plan.account or None,
    }
    shown = {"password": plan.password} if plan.password and not options.password_stdin else {}
    return CommandResult({**data, **shown}, next_steps(plan, bool(shown)))


def _refuse_to_overwrite(plan: SetupPlan) -> None:
    files = (
        plan.config,
        plan.certificate,
        plan.tls / certificates.AUTHORITY,
        plan.tls / certificates.AUTHORITY_KEY,
        plan.state / schema.FILE,
    )
    for path in files:
        if path.exists():
            raise CommandError(f"{path} is there already, and init overwrites nothing")


def _make_folder(path: Path, mode: int) -> None:
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(mode)


def _fill_directory(plan: SetupPlan, config: Config) -> None:
    with opened(config) as register:
        if not plan.account:
            return
        register.accounts.add(plan.account, plan.password)
        for domain in plan.domains:
            if plan.account.lower() != f"{ABUSE}@{domain}":
                register.aliases.add(f"{ABUSE}@{domain}", [plan.account])


def _give_away(plan: SetupPlan) -> None:
    """Give the new files to the user that the server will run as."""
    if not plan.owner:
        return
    plan.config.chmod(0o644)  # to be read by the server, and not altered by what breaks into it
    made = [plan.state, *plan.state.iterdir(), *plan.tls.iterdir()]
    try:
        for path in made:
            shutil.chown(path, plan.owner)
    except (LookupError, PermissionError) as error:
        raise CommandError(f"everything is made, but not given to {plan.owner}: {error}") from None


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``init``."""
    made = command("init", init, "make everything a new server needs")
    made.set_defaults(needs_config=False)
    made.add_argument("folder", metavar="DIR", help="where the configuration goes")
    made.add_argument(
        "--domain", action="append", required=True, help="one that mail is for; repeat"
    )
    made.add_argument("--hostname", help="the server's name; mail.DOMAIN if not given")
    made.add_argument(
        "--account",
        metavar="NAME",
        default="postmaster",
        help="the first account, which is the postmaster of all domains ('' for none)",
    )
    made.add_argument("--password-stdin", action="store_true", help="its password is on stdin")
    made.add_argument("--state", metavar="DIR", help="where mail is kept; DIR/state if not given")
    made.add_argument("--owner", metavar="USER", help="the user the server will run as")
    made.add_argument("--interface", metavar="ADDRESS", help="listen on this address only")
    made.add_argument("--high-ports", action="store_true", help="use ports that need no root")

"""``twisted-mail address explain``: where mail for an address goes, step by step, and why."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, CommandError, CommandResult
from twisted_mail.control.synchronous import SynchronousBlocking, run_synchronously
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.directory.tables import to_address
from twisted_mail.mail.address import Address
from twisted_mail.mail.route import (
    LocalRoute,
    NoRoute,
    RemoteRoute,
    Route,
    RouteStep,
    RouteStepKind,
)


def address_explain(options: argparse.Namespace, config: Config) -> CommandResult:
    """Show the steps by which the server finds where mail for an address goes."""
    recipient = _recipient(options.address)
    route, steps = explained(recipient, config)
    end = _end(route)
    lines = [f"mail for {recipient}:", *map(_line, steps), *end.lines]
    data = {
        "address": str(recipient),
        "steps": [
            {
                "depth": step.depth,
                "address": str(step.address),
                "turn": step.kind.value,
                "found": list(step.found),
            }
            for step in steps
        ],
        **end.data,
    }
    return CommandResult(data, lines, FAILED if end.data["refusal"] else FINE)


def _recipient(text: str) -> Address:
    return Address(text, "") if text.lower() == "postmaster" else to_address(text)


def explained(recipient: Address, config: Config) -> tuple[Route, Sequence[RouteStep]]:
    """Return the route that the server finds for an address, and its steps. Raises CommandError."""
    if not config.accounts_file.exists():
        raise CommandError("there is no directory yet: twisted-mail account add makes it")
    blocking = SynchronousBlocking()
    directory = SqliteDirectory(
        config.accounts_file, blocking, blocking, config.passwords, config.domains
    )
    try:
        router = LocalRouter(
            directory,
            config.hostname,
            config.domains,
            config.addresses.separators,
            config.addresses.postmaster,
        )
        return run_synchronously(router.explain(recipient))
    finally:
        directory.close()


# ---------------------------------------------------------------- steps in words


def _line(step: RouteStep) -> str:
    return f"{'  ' * (step.depth + 1)}{step.address}: {_words(step)}"


def _words(step: RouteStep) -> str:
    found = ", ".join(step.found)
    match step.kind:
        case RouteStepKind.POSTMASTER:
            reason = "nobody" if step.address.domain else "without a domain"
            return f"{reason}, looked for as {found}"
        case RouteStepKind.DOMAIN_ALIAS:
            return f"{step.address.domain} is another name of {found}"
        case RouteStepKind.ACCOUNT:
            return f"the account {found}"
        case RouteStepKind.ALIAS:
            return f"leads to {found}"
        case RouteStepKind.PROGRAM:
            return f"the program {found} of the configuration"
        case RouteStepKind.SUBADDRESS:
            user, detail = step.found
            return f"nobody, so {user} gets it, with the detail {detail or '(empty)'}"
        case RouteStepKind.CATCH_ALL:
            return f"nobody, so @{step.address.domain} takes it"
        case RouteStepKind.LIST if len(step.found) > 1:
            return f"the list {step.found[0]}, its address for {step.found[1]}"
        case RouteStepKind.LIST:
            return f"the list {found}"
        case RouteStepKind.LIST_OWNERS:
            return f"a list's owners: {found}"
    return _PLAIN[step.kind]


_PLAIN = {
    RouteStepKind.ELSEWHERE: "a domain that is not ours",
    RouteStepKind.REPEATED: "was followed already, and is not followed again",
    RouteStepKind.UNKNOWN: "nobody here has this address",
    RouteStepKind.TOO_DEEP: "too many aliases in a row",
    RouteStepKind.TOO_MANY: "too many addresses in all",
}


# ---------------------------------------------------------------- the end of the way


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where the mail ends, for people and for programs."""

    lines: list[str]
    data: dict[str, Any]


def _end(route: Route) -> _Destination:
    if isinstance(route, NoRoute):
        outcome = route.outcome
        return _refused((outcome.code, outcome.enhanced, outcome.text))
    parts = _parts(route)
    if isinstance(route, RemoteRoute):
        parts["elsewhere"] = [str(address) for address in route.addresses]
    return _Destination(_destination_lines(parts), {"refusal": None, "elsewhere": [], **parts})


def _refused(refusal: tuple[int, str, str]) -> _Destination:
    code, enhanced, text = refusal
    data = {"refusal": {"code": code, "enhanced": enhanced, "text": text}}
    return _Destination([f"it is refused: {code} {enhanced} {text}"], data)


def _parts(route: LocalRoute | RemoteRoute) -> dict[str, Any]:
    return {
        "accounts": list(route.accounts),
        "details": dict(route.details),
        "programs": [one.program for one in route.programs],
        "lists": [{"list": one.list, "role": one.role.value or "post"} for one in route.lists],
    }


def _destination_lines(parts: dict[str, Any]) -> list[str]:
    details = parts["details"]
    lines = [
        f"it goes to the account {name}{f' (detail {details[name]})' if name in details else ''}"
        for name in parts["accounts"]
    ]
    lines += [f"it goes to the program {name}" for name in parts["programs"]]
    lines += [f"it goes to the list {one['list']} ({one['role']})" for one in parts["lists"]]
    lines += [f"it goes on to {address}" for address in parts.get("elsewhere", ())]
    return lines


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``address``."""
    command("explain", address_explain, "show each step, and why", "address")

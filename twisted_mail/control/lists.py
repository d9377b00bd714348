"""``twisted-mail list``: mailing lists, their members, and held posts."""

import argparse
from collections.abc import Callable
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.directory import opened
from twisted_mail.control.held_posts import list_approve, list_held, list_reject
from twisted_mail.control.output import CommandResult, count, day, moment, table
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.mail.mailing_list_definition import JoiningPolicy, MailingList, PostingPolicy

_YES = {"yes": True, "no": False}


# ---------------------------------------------------------------- lists


def list_add(options: argparse.Namespace, config: Config) -> CommandResult:
    """Make a mailing list."""
    with opened(config) as editor:
        editor.lists.add(options.address)
        try:
            made = _altered(options, editor)
        except BaseException:
            editor.lists.remove(options.address)
            raise
    return CommandResult({"list": _data(made)}, [f"list {made.name} is made", *_rules(made)])


def list_set(options: argparse.Namespace, config: Config) -> CommandResult:
    """Alter the rules of a list."""
    with opened(config) as editor:
        made = _altered(options, editor)
    return CommandResult({"list": _data(made)}, [f"list {made.name}", *_rules(made)])


def _altered(options: argparse.Namespace, editor: DirectoryEditor) -> MailingList:
    if options.owner is not None:
        editor.lists.set_owners(options.address, [one for one in options.owner if one])
    return editor.lists.alter(
        options.address,
        options.title,
        PostingPolicy(options.post) if options.post else None,
        JoiningPolicy(options.join) if options.join else None,
        _YES.get(options.moderated or ""),
    )


def list_remove(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove a list."""
    with opened(config) as editor:
        members = editor.lists.remove(options.address)
    lines = [f"list {options.address} is removed, with {count(members, 'member')}"]
    return CommandResult({"list": options.address, "members": members}, lines)


def list_list(options: argparse.Namespace, config: Config) -> CommandResult:
    """List the mailing lists."""
    with opened(config) as editor:
        rows = editor.lists.all(options.domain or "")
    cells = [
        (
            row.list.name,
            str(row.members),
            str(row.suspended),
            row.list.posting.value + (", moderated" if row.list.is_moderated else ""),
            row.list.joining.value,
            ", ".join(map(str, row.list.owners)) or "-",
        )
        for row in rows
    ]
    titles = ("LIST", "MEMBERS", "SUSPENDED", "WHO WRITES", "JOINING", "OWNERS")
    data = [_data(row.list) | {"members": row.members, "suspended": row.suspended} for row in rows]
    return CommandResult({"lists": data}, table(titles, cells) or ["there are no mailing lists"])


def _data(one: MailingList) -> dict[str, Any]:
    return {
        "address": one.name,
        "title": one.title,
        "post": one.posting.value,
        "join": one.joining.value,
        "is_moderated": one.is_moderated,
        "owners": [str(owner) for owner in one.owners],
    }


def _rules(one: MailingList) -> list[str]:
    moderated = ", held for approval" if one.is_moderated else ""
    return [
        f"  title   {one.title or '-'}",
        f"  post    {one.posting.value}{moderated}",
        f"  join    {one.joining.value}",
        f"  owners  {', '.join(map(str, one.owners)) or '-'}",
    ]


# ---------------------------------------------------------------- members


def list_members(options: argparse.Namespace, config: Config) -> CommandResult:
    """List the members of a list."""
    with opened(config) as editor:
        rows = editor.lists.members(options.address)
    cells = [(row.address, day(row.created), str(row.bounces), day(row.suspended)) for row in rows]
    data = [
        {
            "address": row.address,
            "since": moment(row.created),
            "bounces": row.bounces,
            "suspended": moment(row.suspended),
        }
        for row in rows
    ]
    lines = table(("MEMBER", "SINCE", "BOUNCES", "SUSPENDED"), cells) or ["there are no members"]
    return CommandResult({"members": data}, lines)


def list_subscribe(options: argparse.Namespace, config: Config) -> CommandResult:
    """Add members to a list, all or none."""
    with opened(config) as editor:
        new = editor.lists.add_members(options.address, options.member)
    lines = [f"{one} is on {options.address}" for one in new] or ["all were on it already"]
    return CommandResult({"list": options.address, "members": new}, lines)


def list_unsubscribe(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove members from a list, all or none."""
    with opened(config) as editor:
        gone = editor.lists.remove_members(options.address, options.member)
    lines = [f"{one} is not on {options.address} any more" for one in gone]
    return CommandResult({"list": options.address, "members": gone}, lines)


def list_resume(options: argparse.Namespace, config: Config) -> CommandResult:
    """Send to a suspended member again."""
    with opened(config) as editor:
        name = editor.lists.resume(options.address, options.member)
    lines = [f"{name} gets mail of {options.address} again"]
    return CommandResult({"list": options.address, "member": name}, lines)


# ---------------------------------------------------------------- the grammar


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``list``."""
    for name, work, about in (
        ("add", list_add, "make a mailing list"),
        ("set", list_set, "alter what is given of its rules"),
    ):
        parser = command(name, work, about, "address")
        parser.add_argument("--title", help="what people call it")
        parser.add_argument(
            "--post", choices=[one.value for one in PostingPolicy], help="who may write to all"
        )
        parser.add_argument(
            "--join", choices=[one.value for one in JoiningPolicy], help="how one becomes a member"
        )
        parser.add_argument("--moderated", choices=list(_YES), help="hold posts for approval")
        parser.add_argument(
            "--owner", action="append", help="in the place of those before; repeat; '' for none"
        )
    command("remove", list_remove, "remove a list", "address")
    listing = command("list", list_list, "list the mailing lists")
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="of this domain only")
    command("members", list_members, "list the members", "address")
    for name, work, about in (
        ("subscribe", list_subscribe, "put people on a list"),
        ("unsubscribe", list_unsubscribe, "take people off it"),
    ):
        command(name, work, about, "address").add_argument("member", metavar="MEMBER", nargs="+")
    command("resume", list_resume, "send to a suspended member again", "address", "member")
    command("held", list_held, "list the posts that wait for a decision")
    for name, work, about in (
        ("approve", list_approve, "let held posts go out"),
        ("reject", list_reject, "drop held posts without notice"),
    ):
        command(name, work, about).add_argument("id", metavar="ID", nargs="+")

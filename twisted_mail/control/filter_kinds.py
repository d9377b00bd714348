"""``twisted-mail filters``: the kinds of filters that are installed, and what can be set for each."""

import argparse
import dataclasses
import json
import typing
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from twisted_mail.control.output import CommandError, CommandResult
from twisted_mail.plugin import filters

MORE = (
    "docs/filters.md explains them; a [[filter]] table of the configuration names one as its kind."
)


def list_filters(options: argparse.Namespace) -> CommandResult:
    """List the kinds, or describe the one that was asked for."""
    found: dict[str, Any] = dict(sorted(filters().items()))
    if options.kind is not None and options.kind not in found:
        raise CommandError(
            f"there is no kind of filter {options.kind!r}; known: {', '.join(found)}"
        )
    wanted = {name: one for name, one in found.items() if options.kind in (None, name)}
    lines = [line for name, one in wanted.items() for line in _lines(name, one)]
    data = [
        {"kind": name, "help": one.help, "options": list(_options(one.settings))}
        for name, one in wanted.items()
    ]
    return CommandResult({"filters": data}, [*lines, MORE])


def _lines(name: str, one: Any) -> Iterator[str]:
    yield name
    yield f"    {one.help}"
    for option in _options(one.settings):
        yield from _option_lines(option, "    ")
    yield ""


def _option_lines(option: dict[str, Any], indent: str) -> Iterator[str]:
    default = "needed" if "default" not in option else json.dumps(option["default"])
    text = f"{indent}{option['name']} = {default}"
    others = [json.dumps(word) for word in option.get("words", ()) if word != option.get("default")]
    either = "or " if "default" in option else ""
    yield text + (f"  # {either}{', '.join(others)}" if others else "")
    for inner in option.get("tables", ()):
        yield from _option_lines(inner, f"{indent}    ")


def _options(settings: Any) -> Iterator[dict[str, Any]]:
    """Yield a description of each option, and of those of the tables inside."""
    kinds = typing.get_type_hints(settings)
    for item in dataclasses.fields(settings):
        option: dict[str, Any] = {"name": item.name}
        if item.default is not dataclasses.MISSING:
            option["default"] = _plain(item.default)
        elif item.default_factory is not dataclasses.MISSING:
            option["default"] = _plain(item.default_factory())
        yield option | _about(kinds[item.name])


def _about(kind: Any) -> dict[str, Any]:
    """Return the words that an option allows, or the options of the tables that it takes."""
    if typing.get_origin(kind) is typing.Literal:
        return {"words": list(typing.get_args(kind))}
    inner = next(iter(typing.get_args(kind)), kind)
    return {"tables": list(_options(inner))} if dataclasses.is_dataclass(inner) else {}


def _plain(value: Any) -> Any:
    """Return a default as a JSON value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(inner) for name, inner in dataclasses.asdict(value).items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, PurePath) else value


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``filters``."""
    listing = command("filters", list_filters, "list the kinds of filters and their options")
    listing.set_defaults(needs_config=False)
    listing.add_argument("kind", metavar="KIND", nargs="?", help="of this kind only")

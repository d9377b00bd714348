"""From TOML values to dataclasses, strictly: a text is never a number, and no option is unknown.

Numbers are sizes, counts and durations everywhere, so none is negative.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from cattrs import Converter
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from cattrs.gen import make_dict_structure_fn

from twisted_mail.config.mistakes import KeyPath, closest, suggestion

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
Complain = Callable[[KeyPath, str], None]

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    list: "a list",
    dict: "a table",
}


class _WrongKind(ValueError):
    def __init__(self, wanted: str, value: object) -> None:
        super().__init__(f"must be {wanted}, not {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:60]}..."
    return _KINDS.get(type(value), type(value).__name__)


class Structurer:
    """Makes values of a type from TOML; relative paths are taken from the folder ``base``."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def __call__(
        self, value: object, kind: type[T], place: KeyPath, complain: Complain
    ) -> T | None:
        """Return the value, or None after every mistake in it went to ``complain``."""
        token = _folder.set(self._base)
        try:
            return _converter().structure(value, kind)
        except Exception as error:  # hooks and __post_init__ of other people's settings
            _report(error, place, complain)
            return None
        finally:
            _folder.reset(token)


_folder: ContextVar[Path] = ContextVar("folder")  # from which relative paths are taken


@cache
def _converter() -> Converter:
    """Return the converter of all configurations: for each type it compiles a function of its own."""
    converter = Converter(forbid_extra_keys=True)
    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(Path, _path)
    converter.register_structure_hook_factory(_is_literal, _literal)
    converter.register_structure_hook_factory(_is_tuple, _tuple)
    converter.register_structure_hook_factory(dataclasses.is_dataclass, _dataclass)
    return converter


def _path(value: object, _: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise _WrongKind("a path in quotes", value)
    return Path(_folder.get(), Path(value).expanduser())


def _tuple(kind: Any) -> Hook:
    elements: Any = list[get_args(kind)[0]]  # type: ignore[misc]  # made at run time

    def hook(value: object, _: object) -> object:
        if not isinstance(value, list):
            raise _WrongKind("a list", value)
        return tuple(_converter().structure(value, elements))

    return hook


def _dataclass(kind: Any) -> Hook:
    structure: Hook = make_dict_structure_fn(kind, _converter(), _cattrs_forbid_extra_keys=True)
    paths = {
        item.name: str(item.default)
        for item in dataclasses.fields(kind)
        if isinstance(item.default, Path)  # relative to the file too, not to our folder
    }

    def hook(value: object, _: object) -> object:
        if not isinstance(value, Mapping):
            raise _WrongKind("a table", value)
        return structure({**paths, **value}, kind)

    return hook


def _exactly(kind: type) -> Hook:
    def hook(value: object, _: object) -> object:
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise _WrongKind(_KINDS[kind], value)
        if isinstance(value, (int, float)) and not 0 <= value < math.inf:
            raise ValueError(f"must not be negative or endless, as {_shown(value)} is")
        return value

    return hook


def _is_literal(kind: object) -> bool:
    return get_origin(kind) is Literal


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _literal(kind: Any) -> Hook:
    words = get_args(kind)

    def hook(value: object, _: object) -> object:
        if value not in words:
            known = ", ".join(map(repr, words))
            hint = suggestion(value, words) if isinstance(value, str) else ""
            raise ValueError(
                f"must be one of {known}, not {_shown(value)}{hint.split('; known')[0]}"
            )
        return value

    return hook


def _report(error: BaseException, place: KeyPath, complain: Complain) -> None:
    """Pass on what cattrs collected, one mistake at a time."""
    if isinstance(error, ForbiddenExtraKeysError):
        known = _options(error)
        for name in sorted(error.extra_fields):
            complain((*place, name), f"there is no such option{suggestion(name, known)}")
    elif isinstance(error, BaseValidationError):
        parts = _parts(error)
        misspelt = {name for inner, _ in parts for name in _meant(inner)}
        for inner, step in parts:
            if isinstance(inner, KeyError) and step in misspelt:
                continue  # it is there under another name, which is a mistake already
            _report(inner, place if step is None else (*place, step), complain)
    elif isinstance(error, KeyError):
        complain(place, "is missing")
    else:
        complain(place, str(error) or type(error).__name__)


def _options(error: ForbiddenExtraKeysError) -> list[str]:
    return [item.name for item in dataclasses.fields(error.cl)]


def _meant(error: Exception) -> Iterator[str]:
    """Yield the options for which misspelt ones probably stand."""
    if isinstance(error, ForbiddenExtraKeysError):
        for name in error.extra_fields:
            yield closest(name, _options(error))


def _parts(error: BaseValidationError) -> list[tuple[Exception, str | int | None]]:
    if isinstance(error, ClassValidationError):
        named, others = error.group_exceptions()
        return [*((one, note.name) for one, note in named), *((one, None) for one in others)]
    if isinstance(error, IterableValidationError):
        indexed, others = error.group_exceptions()
        return [*((one, note.index) for one, note in indexed), *((one, None) for one in others)]
    return [(one, None) for one in error.exceptions]

"""Texts with named places in braces, which an operator may write."""

import re
from collections.abc import Collection, Mapping

_PLACE = re.compile(r"\{([a-z_]+)\}")


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its places filled. What stands in a value is not looked at again."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def unknown_places(text: str, known: Collection[str]) -> list[str]:
    """Return the places of a text that have no value."""
    return sorted({name for name in _PLACE.findall(text) if name not in known})

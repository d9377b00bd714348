"""Text of others as data: one line, without control characters, and never long."""

_CUT = "..."


def plain_line(text: str, limit: int) -> str:
    """Return a text as one line of at most ``limit`` octets in UTF-8, cut where it is longer.

    What cannot be seen becomes a space: control characters, line ends, lone surrogates, and what alters
    the direction of writing.
    """
    seen = "".join(one if one.isprintable() else " " for one in text[: limit + 1]).strip()
    octets = seen.encode("utf-8")
    if len(text) <= limit and len(octets) <= limit:
        return seen
    return octets[: limit - len(_CUT)].decode("utf-8", "ignore") + _CUT

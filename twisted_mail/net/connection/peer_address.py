"""The address of the other end of a connection, as people write it."""

_MAPPED = "::ffff:"  # what a socket of IPv6 puts before the addresses of IPv4 (RFC 4291 §2.5.5.2)


def host_of(address: object) -> str:
    """Return the numeric address of a Twisted address, that of IPv4 as such; empty for a UNIX socket."""
    host = str(getattr(address, "host", "") or "")
    plain = host.removeprefix(_MAPPED)
    return plain if "." in plain else host

"""The sockets that systemd opens for the server: the units that are to pass them (systemd.socket(5))."""

from collections.abc import Iterator
from pathlib import Path

from twisted_mail.control.checks.note import Note
from twisted_mail.net.server.endpoints import systemd_options

# Where units lie; the first that has one of a name counts (systemd.unit(5)).
FOLDERS = (
    Path("/etc/systemd/system"),
    Path("/run/systemd/system"),
    Path("/usr/local/lib/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)


def systemd_note(subject: str, endpoint: str) -> Note:
    """Return whether a unit of this machine passes the socket that an endpoint names."""
    try:
        options = systemd_options(endpoint)
    except ValueError as error:
        return Note("fault", subject, str(error))
    if "name" not in options:
        text = "is taken by its place among all sockets of systemd, which may change: use name="
        return Note("warning", subject, text)
    name = options["name"]
    for path, families in _units(name):
        if options["domain"] in families:
            return Note("fine", subject, f"is passed by systemd, of {path}")
        found = ", ".join(sorted(families)) or "no ListenStream="
        return Note("fault", subject, f"{path} has {found}, and the endpoint {options['domain']}")
    text = (
        f"no socket unit of this machine has FileDescriptorName={name}, and without it the server does"
        ' not start ("twisted-mail config sockets" prints such units)'
    )
    return Note("warning", subject, text)


def _units(name: str) -> Iterator[tuple[Path, set[str]]]:
    """Yield the socket units whose sockets have a name, with the address families of these."""
    seen = set()
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.socket")):
            if path.name in seen:
                continue
            seen.add(path.name)
            lines = _lines(path)
            names = [value for key, value in lines if key == "FileDescriptorName"] or [path.name]
            if names[-1] == name:
                yield path, {_family(value) for key, value in lines if key == "ListenStream"}


def _lines(path: Path) -> list[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = (line.partition("=") for line in text.splitlines() if "=" in line)
    return [(key.strip(), value.strip()) for key, _, value in found]


def _family(listened: str) -> str:
    """Return the family of the socket that ``ListenStream=`` makes; a port alone is one of IPv6."""
    if listened.startswith(("/", "@")):
        return "UNIX"
    return "INET6" if listened.startswith("[") or ":" not in listened else "INET"

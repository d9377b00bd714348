"""Files of the corpus, and ``manifest.json`` with what a right server answers about each."""

import json
from pathlib import Path
from random import Random

from bench.corpus.body import Bodies
from bench.corpus.header import Headers

# What clients ask of each message for a list of mail; the manifest counts its octets.
SUBSET = (b"date", b"from", b"to", b"subject", b"message-id", b"references")
COLUMNS = (
    "rfc822size",
    "headersubset_octets",
    "subject:zephyrquux",
    "from:brontolith",
    "body:mirkwoodian",
)


def write(folder: Path, count: int = 10_000, seed: int = 1, eol: str = "lf") -> list[int]:
    """Write the messages and the manifest; return their sizes, counted with CRLF."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = Random(seed)
    bodies, headers = Bodies(chance), Headers(chance)
    rows = [_write_one(folder, number, eol, headers, bodies) for number in range(count)]
    manifest = {"count": count, "seed": seed, "eol": eol, "per_message": rows, "columns": COLUMNS}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return [row[0] for row in rows]


def _write_one(
    folder: Path, number: int, eol: str, headers: Headers, bodies: Bodies
) -> tuple[int, int, int, int, int]:
    header, in_subject, in_from = headers.write(number)
    body, in_body = bodies.write(header)
    raw = (header + body).encode("ascii")
    stored = raw if eol == "lf" else raw.replace(b"\n", b"\r\n")
    (folder / f"{number:05d}.eml").write_bytes(stored)
    return len(raw) + raw.count(b"\n"), _subset(raw), int(in_subject), int(in_from), int(in_body)


def _subset(raw: bytes) -> int:
    """Return the octets of BODY[HEADER.FIELDS (...)] of ``SUBSET``, the empty line included."""
    octets, is_kept = 0, False
    for line in raw[: raw.index(b"\n\n")].split(b"\n"):
        if line[:1] not in b" \t":
            is_kept = line.split(b":", 1)[0].lower() in SUBSET
        octets += (len(line) + 2) * is_kept
    return octets + 2

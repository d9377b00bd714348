"""Our reports as others read them: mutt, and two parsers of bounces."""

import os
import subprocess
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.whole.clients import run_in_terminal
from tests.whole.live import needs

pytestmark = pytest.mark.whole

GOLDEN = Path(__file__).parents[1] / "queue" / "reports" / "golden"
MODULE = "Mail::DeliveryStatus::BounceParser"
PARSER = f"""
use {MODULE};
my $bounce = {MODULE}->new(do {{ local $/; <STDIN> }});
print $bounce->is_bounce ? "bounce\\n" : "none\\n";
print join(" ", map {{ $_ // "" }} $_->get("email"), $_->get("std_reason"), $_->get("smtp_code")), "\\n"
    for $bounce->reports;
"""
CONFIG = """\
set folder = "{folder}"
set pipe_decode = yes
set wait_key = no
set sleep_time = 0
set beep = no
push "<pipe-message>cat >shown<enter><exit>"
"""


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.txt").read_bytes()


def perl_reads(name: str) -> list[str]:
    """Return what the Perl parser finds in a report; skip the test, or fail it in CI, without it."""
    perl = needs("perl")
    if subprocess.run([perl, f"-M{MODULE}", "-e1"], capture_output=True, check=False).returncode:
        text = f"{MODULE} is not installed (libmail-deliverystatus-bounceparser-perl)"
        if os.environ.get("TWISTED_MAIL_ALL_PROGRAMS"):
            pytest.fail(text)
        pytest.skip(text)
    done = subprocess.run([perl, "-e", PARSER], input=golden(name), capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def test_a_perl_parser_finds_who_failed_and_why() -> None:
    is_bounce, *reports = perl_reads("failed")
    assert is_bounce == "bounce"
    assert reports[0] == "Bob@Example.NET user_unknown 550"
    assert reports[1].startswith("carol@example.com ")


@pytest.mark.parametrize("name", ["delayed", "relayed"])
def test_a_perl_parser_finds_no_failure_where_there_is_none(name: str) -> None:
    assert "user_unknown" not in " ".join(perl_reads(name))


def test_flufl_bounce_finds_who_failed() -> None:
    bounce = pytest.importorskip("flufl.bounce")
    failed = bounce.scan_message(message_from_bytes(golden("failed")))
    assert failed == {b"Bob@Example.NET", b"carol@example.com"}


def test_flufl_bounce_tells_delays_from_failures() -> None:
    bounce = pytest.importorskip("flufl.bounce")
    temporary, permanent = bounce.all_failures(message_from_bytes(golden("delayed")))
    assert (temporary, permanent) == ({b"carol@example.com"}, set())
    assert not bounce.scan_message(message_from_bytes(golden("relayed")))


def test_mutt_shows_what_happened_first(tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.write_bytes(b"From MAILER-DAEMON Sun Sep  9 02:46:40 2001\n" + golden("failed") + b"\n")
    (tmp_path / "muttrc").write_text(CONFIG.format(folder=tmp_path))
    run_in_terminal([needs("mutt"), "-n", "-F", "muttrc", "-f", str(folder)], tmp_path)
    shown = (tmp_path / "shown").read_text()
    happened = shown.index("Your message was not delivered to\n\n    bob@example.net")
    assert happened < shown.index("550 5.1.1") < shown.index("At the usual place?")

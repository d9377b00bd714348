"""Rspamd of Debian judges mail, asked as a milter and over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.clients import hello, subjects
from tests.whole.filters import received, rspamd, send
from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole

FILTER = '[[filter]]\nkind = "{kind}"\nname = "judge"\nwhen_failed = "defer"\n{place}\n'
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.fixture(params=["milter", "rspamd"])
def judging(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    with rspamd(tmp_path / "rspamd") as (http, milter):
        place = {
            "milter": f'endpoint = "tcp:127.0.0.1:{milter}"',
            "rspamd": f'url = "http://127.0.0.1:{http}"',
        }[request.param]
        (tmp_path / "server").mkdir()
        live = LiveServer(tmp_path / "server", FILTER.format(kind=request.param, place=place))
        yield live
        live.stop()


def test_spam_is_refused_and_mail_is_taken(judging: LiveServer) -> None:
    assert send(judging, hello("spam").encode() + GTUBE + b"\r\n") == (554, b"5.7.1 Gtube pattern")
    assert send(judging, hello("clean").encode())[0] == 250
    large = hello("large").encode() + b"x" * 70 + b"\r\n"
    assert send(judging, large + (b"y" * 70 + b"\r\n") * 10_000)[0] == 250
    assert subjects(judging) == ["clean", "large"]


def test_what_rspamd_adds_and_removes_is_done(judging: LiveServer) -> None:
    message = b"X-Old: 1\r\n" + hello("pickles").encode()
    assert send(judging, message)[0] == 250
    found = [*received(judging), *_junk(judging)]
    assert len(found) == 1
    assert b"\nX-Pickles: from alice@example.org\n" in found[0]
    assert b"X-Old" not in found[0]
    assert b"\nSubject: pickles\n" in found[0]


def _junk(server: LiveServer) -> list[bytes]:
    return [
        one.read_bytes().replace(b"\r\n", b"\n")
        for one in server.maildir("bob@example.org").glob(".Junk/[cn]*/*")  # cur, new
    ]

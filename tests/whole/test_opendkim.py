"""OpenDKIM of Debian, asked as a milter: it signs what is submitted, and verifies what comes in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.clients import hello
from tests.whole.filters import opendkim, received, send, submit
from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole

FILTER = """\
[[filter]]
kind = "milter"
name = "opendkim"
services = []
when_failed = "defer"
endpoint = "{endpoint}"
"""


@pytest.fixture(params=["tcp", "unix"])
def signing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    with opendkim(tmp_path / "opendkim", request.param) as endpoint:
        (tmp_path / "server").mkdir()
        live = LiveServer(tmp_path / "server", FILTER.format(endpoint=endpoint))
        yield live
        live.stop()


def test_mail_is_signed_and_the_signature_verified(signing: LiveServer) -> None:
    submit(signing, hello("one").encode())
    (signed,) = received(signing)
    assert b"\nDKIM-Signature: v=1;" in b"\n" + signed
    assert b"Authentication-Results" not in signed

    own = b"DKIM-Signature:" + signed.partition(b"DKIM-Signature:")[2]
    assert send(signing, own)[0] == 250
    verified = received(signing)[1]
    assert b"Authentication-Results: mail.example.org;\n\tdkim=pass" in verified

    assert send(signing, own.replace(b"ketchup", b"mustard"))[0] == 250
    assert b"dkim=fail" in received(signing)[2]

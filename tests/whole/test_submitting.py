"""swaks, curl and msmtp send every kind of message, to the port for servers and to those for people."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.clients import run
from tests.whole.live import LISTENERS, LiveServer, needs
from tests.whole.senders import MESSAGES, stored

pytestmark = pytest.mark.whole

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"
Send = Callable[[LiveServer, str, Path, list[str]], None]


def by_swaks(server: LiveServer, listener: str, file: Path, recipients: list[str]) -> None:
    command = [needs("swaks"), "--server", f"127.0.0.1:{server.ports[listener]}"]
    tls = "--tls-on-connect" if LISTENERS[listener][1] == "implicit" else "--tls"
    login = ["--auth", "PLAIN", "--auth-user", ALICE, "--auth-password", "secret"]
    stuffed = re.sub(rb"^\.", b"..", file.read_bytes(), flags=re.MULTILINE) + b"."
    data = file.with_suffix(".swaks")
    data.write_bytes(stuffed)  # it would take a dot that ends a message for the end itself
    run(
        [
            *(*command, tls, *(login if "submission" in listener else [])),
            *(
                "--from",
                ALICE,
                "--to",
                ",".join(recipients),
                "--data",
                f"@{data}",
                "--no-data-fixup",
            ),
        ],
        server.folder,
    )


def by_curl(server: LiveServer, listener: str, file: Path, recipients: list[str]) -> None:
    scheme = "smtps" if LISTENERS[listener][1] == "implicit" else "smtp"
    run(
        [
            *(needs("curl"), "--silent", "--show-error", "--ssl-reqd", "--max-time", "20"),
            *("--cacert", str(server.folder / "ca.pem"), "--upload-file", str(file)),
            *(["--user", f"{ALICE}:secret"] if "submission" in listener else []),
            *("--mail-from", ALICE),
            *(word for one in recipients for word in ("--mail-rcpt", one)),
            f"{scheme}://127.0.0.1:{server.ports[listener]}/client.example.com",
        ],
        server.folder,
    )


def by_msmtp(server: LiveServer, listener: str, file: Path, recipients: list[str]) -> None:
    is_implicit = LISTENERS[listener][1] == "implicit"
    login = [f"--user={ALICE}", "--auth=plain", "--passwordeval=echo secret"]
    run(
        [
            *(needs("msmtp"), "--host=127.0.0.1", f"--port={server.ports[listener]}", "--tls=on"),
            f"--tls-trust-file={server.folder / 'ca.pem'}",
            f"--tls-starttls={'off' if is_implicit else 'on'}",
            *(login if "submission" in listener else ["--auth=off"]),
            *(f"--from={ALICE}", "--", *recipients),
        ],
        server.folder,
        file.read_bytes().replace(b"\r\n", b"\n"),
    )


@pytest.mark.parametrize("listener", ["smtp", "submission", "submissions"])
@pytest.mark.parametrize("send", [by_swaks, by_curl, by_msmtp])
def test_every_octet_arrives(server: LiveServer, tmp_path: Path, send: Send, listener: str) -> None:
    file = tmp_path / "message"
    for message in MESSAGES:
        file.write_bytes(message)
        send(server, listener, file, [BOB, CAROL])
    for account in (BOB, CAROL):
        files = stored(server, account)
        assert len(files) == len(MESSAGES)
        for message in MESSAGES:
            found = [one for one in files if one.endswith(b"\r\n" + message)]
            assert len(found) == 1, [one[-300:] for one in files]

"""curl, over every scheme that it has for mail."""

from pathlib import Path

import pytest

from tests.whole.clients import hello, imap, run, send, subjects
from tests.whole.live import LiveServer, needs

pytestmark = pytest.mark.whole


def curl(server: LiveServer, *arguments: str, user: str = "", given: str = "") -> str:
    login = ["--user", f"{user}:secret"] if user else []
    quiet = ["--silent", "--show-error", "--max-time", "20"]
    trust = ["--cacert", str(server.folder / "ca.pem")]
    return run([needs("curl"), *quiet, *trust, *login, *arguments], server.folder, given)


def url(server: LiveServer, scheme: str, listener: str, path: str = "") -> str:
    return f"{scheme}://127.0.0.1:{server.ports[listener]}/{path}"


def test_smtp_takes_a_message_from_another_server(server: LiveServer) -> None:
    curl(
        server,
        *("--mail-from", "someone@example.com", "--mail-rcpt", "bob@example.org"),
        *("--upload-file", "-", url(server, "smtp", "smtp", "client.example.com")),
        given=hello("by smtp"),
    )
    assert subjects(server) == ["by smtp"]


@pytest.mark.parametrize(
    ("scheme", "listener", "options"),
    [
        ("smtp", "submission", ["--ssl-reqd"]),
        ("smtps", "submissions", []),
        ("smtp", "submission", ["--ssl-reqd", "--login-options", "AUTH=LOGIN"]),
    ],
)
def test_submission_after_login(
    server: LiveServer, scheme: str, listener: str, options: list[str]
) -> None:
    curl(
        server,
        *options,
        *("--mail-from", "alice@example.org", "--mail-rcpt", "bob@example.org"),
        *("--mail-rcpt", "carol@example.net"),
        *("--upload-file", "-", url(server, scheme, listener, "client.example.com")),
        user="alice@example.org",
        given=hello("submitted"),
    )
    assert subjects(server) == ["submitted"]
    assert subjects(server, "carol@example.net") == ["submitted"]


def test_a_file_with_unix_line_ends_is_submitted_as_it_is(
    server: LiveServer, tmp_path: Path
) -> None:
    body = "one\n.\n.two\n\nthree\n"
    text = f"From: alice@example.org\nTo: bob@example.org\nSubject: unix\n\n{body}"
    (tmp_path / "mail.txt").write_text(text, newline="\n")
    curl(
        server,
        *("--ssl-reqd", "--mail-from", "alice@example.org", "--mail-rcpt", "bob@example.org"),
        *("--upload-file", str(tmp_path / "mail.txt"), url(server, "smtp", "submission")),
        user="alice@example.org",
    )
    assert subjects(server) == ["unix"]
    with imap(server) as client:
        client.select("INBOX")
        _, found = client.fetch("1", "(BODY.PEEK[TEXT])")
    # curl ends with an empty line: it takes LF alone for no line end.
    assert found[0][1] == body.replace("\n", "\r\n").encode() + b"\r\n"  # type: ignore[index]


@pytest.mark.parametrize("listener", ["smtp", "submission", "pop3", "imap"])
def test_a_request_by_http_does_nothing(server: LiveServer, listener: str) -> None:
    commands = {
        "smtp": "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nx\r\n.\r\n",
        "submission": "EHLO x\r\n",
        "pop3": "USER bob@example.org\r\nPASS secret\r\n",
        "imap": "a LOGIN bob@example.org secret\r\na CREATE made\r\n",
    }[listener]
    said = run(
        [
            *(needs("curl"), "--silent", "--show-error", "--http0.9", "--max-time", "20"),
            *("--data-binary", "@-", url(server, "http", listener)),
        ],
        server.folder,
        commands,
        status=None,
    )
    assert "This server speaks" in said
    assert "250" not in said
    assert subjects(server) == []


def test_relaying_is_refused(server: LiveServer) -> None:
    said = run(
        [
            *(needs("curl"), "--silent", "--show-error", "--mail-from", "a@example.com"),
            *("--mail-rcpt", "b@example.com", "--upload-file", "-", url(server, "smtp", "smtp")),
        ],
        server.folder,
        hello(),
        status=55,
    )
    assert "550" in said


@pytest.mark.parametrize(
    ("scheme", "listener", "options"),
    [("imap", "imap", []), ("imap", "imap", ["--ssl-reqd"]), ("imaps", "imaps", [])],
)
def test_imap_reads_lists_and_appends(
    server: LiveServer, scheme: str, listener: str, options: list[str], tmp_path: Path
) -> None:
    send(server, "to read")
    read = curl(
        server, *options, url(server, scheme, listener, "INBOX;MAILINDEX=1"), user="bob@example.org"
    )
    assert "Subject: to read" in read
    assert ".\r\n..\r\nHow about pickles?" in read.replace("\r\r", "\r") or "How about" in read
    listed = curl(server, *options, url(server, scheme, listener), user="bob@example.org")
    assert "\\Sent" in listed
    file = tmp_path / "draft.eml"
    file.write_bytes(hello("a draft").encode())
    curl(
        server,
        *options,
        *("--upload-file", str(file), url(server, scheme, listener, "Drafts")),
        user="bob@example.org",
    )
    assert subjects(server, mailbox="Drafts") == ["a draft"]


@pytest.mark.parametrize(
    ("scheme", "listener", "options"),
    [("pop3", "pop3", []), ("pop3", "pop3", ["--ssl-reqd"]), ("pop3s", "pop3s", [])],
)
def test_pop3_lists_reads_and_deletes(
    server: LiveServer, scheme: str, listener: str, options: list[str]
) -> None:
    send(server, "to download")
    listed = curl(server, *options, url(server, scheme, listener), user="bob@example.org")
    number, size = listed.split()
    read = curl(server, *options, url(server, scheme, listener, "1"), user="bob@example.org")
    assert number == "1"
    assert "Subject: to download" in read
    assert len(read.encode()) in (int(size), int(size) - read.count("\n"))
    curl(
        server,
        *options,
        *("--request", "DELE 1", "--head", url(server, scheme, listener)),
        user="bob@example.org",
    )
    assert subjects(server) == []

"""getmail and fetchmail: programs that take mail away."""

from pathlib import Path

import pytest

from tests.whole.clients import run, send, subjects
from tests.whole.live import LiveServer, needs

pytestmark = pytest.mark.whole

GETMAIL = """\
[retriever]
type = {kind}
server = 127.0.0.1
port = {port}
username = bob@example.org
password = secret
ca_certs = {ca}
{more}
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat > {folder}/$$")
allow_root_commands = true

[options]
delete = {delete}
read_all = false
delivered_to = false
received = false
"""


def getmail(server: LiveServer, tmp_path: Path, kind: str, delete: bool = False) -> list[Path]:
    folder = tmp_path / "downloaded"
    folder.mkdir(exist_ok=True)
    more = 'mailboxes = ("INBOX",)' if "IMAP" in kind else ""
    port = server.ports["imaps" if "IMAP" in kind else "pop3s"]
    rc = tmp_path / "getmailrc"
    rc.write_text(
        GETMAIL.format(
            kind=kind,
            port=port,
            ca=server.folder / "ca.pem",
            more=more,
            folder=folder,
            delete=delete,
        )
    )
    run([needs("getmail"), f"--getmaildir={tmp_path}", f"--rcfile={rc}"], tmp_path)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("kind", ["SimplePOP3SSLRetriever", "SimpleIMAPSSLRetriever"])
def test_getmail_leaves_mail_on_the_server_and_takes_it_once(
    server: LiveServer, tmp_path: Path, kind: str
) -> None:
    for number in range(3):
        send(server, f"message {number}")
    assert len(getmail(server, tmp_path, kind)) == 3
    assert len(getmail(server, tmp_path, kind)) == 3
    send(server, "one more")
    got = getmail(server, tmp_path, kind)
    assert len(got) == 4
    assert len(subjects(server)) == 4
    assert any(b"Subject: one more" in file.read_bytes() for file in got)


def test_getmail_takes_mail_away(server: LiveServer, tmp_path: Path) -> None:
    send(server, "only here for a moment")
    assert len(getmail(server, tmp_path, "SimplePOP3SSLRetriever", delete=True)) == 1
    assert subjects(server) == []


FETCHMAIL = """\
set no bouncemail
poll localhost protocol {protocol} port {port} {uidl}
  user "bob@example.org" password "secret" is "root" here
  {tls} sslcertfile "{ca}" sslcertck
  {keep} mda "/bin/sh -c 'cat >> {folder}/fetched; echo >> {folder}/fetched'"
"""


def fetchmail(
    server: LiveServer,
    tmp_path: Path,
    protocol: str,
    listener: str,
    tls: str,
    keep: str,
    status: int,
) -> str:
    rc = tmp_path / "fetchmailrc"
    rc.write_text(
        FETCHMAIL.format(
            protocol=protocol,
            port=server.ports[listener],
            tls=tls,
            ca=server.folder / "ca.pem",
            keep=keep,
            uidl="uidl" if keep == "keep" else "",
            folder=tmp_path,
        )
    )
    rc.chmod(0o600)
    files = ["--fetchmailrc", str(rc), "--idfile", str(tmp_path / "ids")]
    files += ["--pidfile", str(tmp_path / "fetchmail.pid")]
    run([needs("fetchmail"), "-v", "--nodetach", *files], tmp_path, status=status)
    fetched = tmp_path / "fetched"
    return fetched.read_text() if fetched.exists() else ""


@pytest.mark.parametrize(
    ("protocol", "listener", "tls"),
    [
        ("POP3", "pop3s", "ssl"),
        ("POP3", "pop3", "sslproto TLS1.2+"),
        ("IMAP", "imaps", "ssl"),
        ("IMAP", "imap", "sslproto TLS1.2+"),
    ],
)
def test_fetchmail_takes_mail_away(
    server: LiveServer, tmp_path: Path, protocol: str, listener: str, tls: str
) -> None:
    send(server, "fetched one")
    send(server, "fetched two")
    fetched = fetchmail(server, tmp_path, protocol, listener, tls, "nokeep", 0)
    assert fetched.count("Subject: fetched") == 2
    assert subjects(server) == []
    fetchmail(server, tmp_path, protocol, listener, tls, "nokeep", 1)  # 1: no mail


def test_fetchmail_keeps_mail_and_fetches_it_once(server: LiveServer, tmp_path: Path) -> None:
    send(server, "kept")
    rest = ("POP3", "pop3s", "ssl", "keep")
    assert fetchmail(server, tmp_path, *rest, 0).count("Subject: kept") == 1
    assert fetchmail(server, tmp_path, *rest, 1).count("Subject: kept") == 1
    assert subjects(server) == ["kept"]

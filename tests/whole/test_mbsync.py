"""mbsync: a full two-way synchronisation, twice."""

from pathlib import Path

import pytest

from tests.whole.clients import hello, imap, send, subjects
from tests.whole.live import LiveServer
from tests.whole.mbsync import NOTHING, mbsync

pytestmark = pytest.mark.whole

CONFIG = """\
IMAPAccount live
Host localhost
Port {port}
User bob@example.org
Pass secret
SSLType {tls}
CertificateFile {ca}

IMAPStore far
Account live

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


@pytest.fixture(params=["IMAPS", "STARTTLS"])
def config(server: LiveServer, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "near"
    folder.mkdir()
    file = tmp_path / "mbsyncrc"
    listener = "imaps" if request.param == "IMAPS" else "imap"
    file.write_text(
        CONFIG.format(
            port=server.ports[listener],
            tls=request.param,
            ca=server.folder / "ca.pem",
            folder=folder,
        )
    )
    return file


def near_files(config: Path, folder: str) -> list[Path]:
    return sorted((config.parent / "near" / folder).glob("*/*,*"))


def test_two_ways_and_then_nothing(server: LiveServer, config: Path) -> None:
    for number in range(20):
        send(server, f"message {number}")
    assert mbsync(config).near["+"] == 20
    assert len(near_files(config, "INBOX")) == 20
    assert mbsync(config) == NOTHING

    near = near_files(config, "INBOX")
    near[0].rename(near[0].parent.parent / "cur" / (near[0].name.split(":")[0] + ":2,S"))
    near[1].unlink()
    sent = config.parent / "near" / "Sent" / "cur"
    (sent / "1700000000.1_1.here:2,S").write_bytes(
        hello("written offline").replace("\r", "").encode()
    )
    client = imap(server)
    client.select("INBOX")
    client.store("5", "+FLAGS", "(\\Flagged)")
    client.store("7", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.create("Projects/Mail")
    client.logout()

    mbsync(config)
    assert len(near_files(config, "INBOX")) == 18
    assert subjects(server, mailbox="Sent") == ["written offline"]
    assert len(subjects(server)) == 18
    assert (config.parent / "near" / "Projects" / "Mail" / "cur").is_dir()
    assert sum("F" in file.name.rpartition(",")[2] for file in near_files(config, "INBOX")) == 1
    client = imap(server)
    client.select("INBOX", readonly=True)
    assert client.search(None, "SEEN") == ("OK", [b"1"])
    client.logout()

    assert mbsync(config) == NOTHING

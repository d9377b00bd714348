"""Debian's mail filters beside the server: OpenDKIM and Rspamd, on ports of their own."""

import smtplib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.whole.live import PATIENCE, LiveServer, needs
from tests.whole.ports import free_port
from tests.whole.process import select_nothing

START_SECONDS = 30.0


@contextmanager
def running(command: list[str], folder: Path, ports: tuple[int | Path, ...]) -> Iterator[None]:
    """Run a program until the end of the ``with``, once its ports answer."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        for port in ports:
            _wait(process, port, folder / "log")
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int | Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket(socket.AF_UNIX if isinstance(port, Path) else socket.AF_INET) as probe:
            if probe.connect_ex(str(port) if isinstance(port, Path) else ("127.0.0.1", port)) == 0:
                return
        select_nothing(0.05)
    raise AssertionError(f"it does not listen: {log.read_text()}")


# ---------------------------------------------------------------- OpenDKIM

_OPENDKIM = """\
Mode sv
Socket {socket}
Domain example.org
Selector test
KeyFile {folder}/test.private
InternalHosts 192.0.2.0/24
TestPublicKeys {folder}/public
AuthservID mail.example.org
Canonicalization relaxed/simple
RequireSafeKeys no
AlwaysAddARHeader yes
SyslogFacility mail
"""


@contextmanager
def opendkim(folder: Path, family: str) -> Iterator[str]:
    """Run OpenDKIM, which signs for example.org and knows the key; give its endpoint."""
    program, keys = needs("opendkim"), needs("opendkim-genkey")
    folder.mkdir()
    subprocess.run(
        [keys, "-b", "1024", "-s", "test", "-d", "example.org", "-D", folder], check=True
    )
    record = "".join((folder / "test.txt").read_text().split('"')[1::2])
    (folder / "public").write_text(f"test._domainkey.example.org {record}\n")
    port, path = free_port(), folder / "socket"
    place: int | Path = port if family == "tcp" else path
    listens = f"inet:{port}@127.0.0.1" if family == "tcp" else f"local:{path}"
    (folder / "opendkim.conf").write_text(_OPENDKIM.format(socket=listens, folder=folder))
    with running([program, "-f", "-x", str(folder / "opendkim.conf")], folder, (place,)):
        yield f"tcp:127.0.0.1:{port}" if family == "tcp" else f"unix:{path}"


# ---------------------------------------------------------------- Rspamd

_RSPAMD = """\
options {{
    pidfile = "{folder}/pid"; tempdir = "{folder}"; filters = ""; disable_hyperscan = true;
    cache_file = "{folder}/cache"; hs_cache_dir = "{folder}/"; stats_file = "{folder}/stats";
    control_socket = "{folder}/control mode=0600"; url_tld = "{folder}/tld";
    dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "notice"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
lua = "{folder}/rules.lua";
worker "normal" {{ bind_socket = "127.0.0.1:{http}"; count = 1; mime = true; }}
worker "rspamd_proxy" {{
    bind_socket = "127.0.0.1:{milter}"; count = 1; milter = yes; timeout = 30s;
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""
_RULES = """\
rspamd_config.PICKLES = {
    score = 7,
    callback = function(task)
        if task:get_subject() ~= 'pickles' then return false end
        task:set_milter_reply({
            add_headers = {['X-Pickles'] = 'from ' .. task:get_from('smtp')[1].addr},
            remove_headers = {['X-Old'] = 0},
        })
        return true, 1
    end
}
"""


@contextmanager
def rspamd(folder: Path) -> Iterator[tuple[int, int]]:
    """Run Rspamd without its modules, with one rule of our own; give its ports: HTTP and milter."""
    program = needs("rspamd")
    folder.mkdir()
    http, milter = free_port(), free_port()
    (folder / "tld").write_text("com\norg\nnet\nexample\n")
    (folder / "rules.lua").write_text(_RULES)
    (folder / "conf").write_text(_RSPAMD.format(folder=folder, http=http, milter=milter))
    with running([program, "-f", "-i", "-c", str(folder / "conf")], folder, (http, milter)):
        yield http, milter


# ---------------------------------------------------------------- mail


def submit(server: LiveServer, message: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=PATIENCE) as client:
        client.login("alice@example.org", "secret")
        client.sendmail("alice@example.org", ["bob@example.org"], message)


def send(server: LiveServer, message: bytes) -> tuple[int, bytes]:
    """Hand a message to the service for other servers' mail; return the last reply."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], "client.example", PATIENCE) as client:
        client.ehlo()
        client.mail("alice@example.org")
        client.rcpt("bob@example.org")
        return client.data(message.replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n"))


def received(server: LiveServer) -> list[bytes]:
    """Return the messages of bob, the newest last."""
    found = sorted(
        server.maildir("bob@example.org").glob("new/*"), key=lambda one: one.stat().st_mtime_ns
    )
    return [one.read_bytes().replace(b"\r\n", b"\n") for one in found]

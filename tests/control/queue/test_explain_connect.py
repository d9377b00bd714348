"""twisted-mail queue explain --connect, with a host on the loopback interface."""

import json
import socket
import subprocess
import sys
import threading

from tests.control.terminal import Terminal

REPLIES = {
    b"EHLO": b"250-mx.one.example\r\n250 SIZE 1000\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"550 5.1.1 No such user\r\n",
    b"RSET": b"250 Ok\r\n",
    b"QUIT": b"221 Bye\r\n",
}


class Host(threading.Thread):
    """Answers one connection, and keeps the commands that it was given."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        self.port = self.listener.getsockname()[1]
        self.commands: list[bytes] = []

    def run(self) -> None:
        with self.listener, self.listener.accept()[0] as connection:
            connection.settimeout(30)
            connection.sendall(b"220 mx.one.example ESMTP\r\n")
            for line in connection.makefile("rb"):
                self.commands.append(line.strip())
                connection.sendall(REPLIES[line[:4].upper()])


def test_the_dialogue_goes_up_to_rset_and_nothing_is_sent(server: Terminal) -> None:
    host = Host()
    host.start()
    text = f'[sending]\nport = {host.port}\nallows_private = ["127.0.0.0/8"]\n'
    (server.folder / "mail.toml.d" / "sending.toml").write_text(text)
    command = (
        *(sys.executable, "-c", "from twisted_mail.control.main import main; exit(main())"),
        *("--config", str(server.folder / "mail.toml"), "--json", "queue", "explain"),
        *("bob@[127.0.0.1]", "--from", "alice@example.org", "--size", "500", "--connect"),
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    host.join(30)
    assert done.returncode == 1, done.stderr
    [one] = json.loads(done.stdout)["onward"]
    [talk] = one["talks"]
    assert (talk["host"], talk["tls"], talk["largest"]) == ("[127.0.0.1]", "", 1000)
    assert [(answer["command"], answer["code"]) for answer in talk["answers"]] == [
        ("MAIL FROM:<alice@example.org> SIZE=500", 250),
        ("RCPT TO:<bob@[127.0.0.1]>", 550),
        ("RSET", 250),
    ]
    verbs = [line[:4] for line in host.commands]
    assert verbs[:4] == [b"EHLO", b"MAIL", b"RCPT", b"RSET"]
    assert b"DATA" not in verbs

import os
import socket
from pathlib import Path

import pytest

from twisted_mail.config.endpoints import Endpoint, parse
from twisted_mail.control.checks import ports


@pytest.fixture
def busy() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def at(listening: socket.socket) -> Endpoint:
    return Endpoint("tcp", listening.getsockname()[1], "127.0.0.1")


def test_a_port_is_free_once_it_is_closed(busy: socket.socket) -> None:
    endpoint = at(busy)
    assert ports.probe(endpoint).state == "taken"
    busy.close()
    assert ports.probe(endpoint).state == "free"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux")
def test_who_has_a_port_is_named(busy: socket.socket) -> None:
    assert f"process {os.getpid()}" in ports.probe(at(busy)).text
    busy.close()


def test_our_own_server_is_recognised(busy: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    command = b"python\0/usr/bin/twistd\0mailserver\0--config\0x"
    monkeypatch.setattr(ports, "_processes", lambda: iter([(os.getpid(), command)]))
    assert ports.probe(at(busy)).state == "ours"
    busy.close()


def test_without_proc_a_taken_port_is_still_taken(
    busy: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "PROC", Path("/nowhere"))
    assert "another program" in ports.probe(at(busy)).text
    busy.close()


def test_an_address_of_another_machine_is_impossible() -> None:
    assert ports.probe(Endpoint("tcp", 9930, "192.0.2.1")).state == "impossible"


def test_what_the_server_could_not_make_is_impossible() -> None:
    finding = ports.probe(parse("ssl:9931:privateKey=/nowhere/key.pem"))
    assert finding.state == "impossible"
    assert "/nowhere/key.pem" in finding.text


def test_sockets_that_systemd_is_to_pass_are_unknown() -> None:
    assert ports.probe(parse("haproxy:systemd:domain=INET:index=0")).state == "unknown"


def test_what_is_no_port_is_unknown() -> None:
    assert ports.probe(Endpoint("tcp", 0)).state == "unknown"


def test_sockets_of_the_file_system(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    endpoint = Endpoint("unix", path=path)
    assert ports.probe(endpoint).state == "free"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    assert ports.probe(endpoint).state == "taken"
    listening.close()
    assert "left over" in ports.probe(endpoint).text
    elsewhere = ports.probe(Endpoint("unix", path=str(tmp_path / "none" / "s")))
    assert (elsewhere.state, elsewhere.text) == (
        "homeless",
        f"there is no folder {tmp_path}/none",
    )
    (tmp_path / "f").touch()
    assert "no socket" in ports.probe(Endpoint("unix", path=str(tmp_path / "f"))).text


def test_a_socket_in_a_folder_of_somebody_else_is_for_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode, effective_ids: path != str(tmp_path))
    finding = ports.probe(Endpoint("unix", path=str(tmp_path / "s")))
    assert finding.state == "forbidden"
    assert str(tmp_path) in finding.text

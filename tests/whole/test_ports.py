"""No two tests get one port, whichever process they are in."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole.ports import PortClaims, free_port, given_to_connections, outside_of

pytestmark = pytest.mark.whole

OTHER = """\
import sys
from pathlib import Path
from tests.whole.ports import PortClaims
claims = PortClaims(Path(sys.argv[1]), map(int, sys.argv[2:]))
print(claims.claim(), flush=True)
sys.stdin.read()
"""


def test_a_port_of_another_process_is_not_given_until_that_ends(tmp_path: Path) -> None:
    path, ports = tmp_path / "ports", [free_port(), free_port()]
    command = [sys.executable, "-c", OTHER, str(path), *map(str, ports)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin
        assert other.stdout
        assert int(other.stdout.readline()) == ports[0]
        claims = PortClaims(path, [*ports, *ports])
        assert claims.claim() == ports[1]
        other.stdin.close()
        other.wait(20)
    assert claims.claim() == ports[0]
    claims.close()


def test_a_port_is_given_once_and_never_one_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        taken, free = used.getsockname()[1], free_port()
        claims = PortClaims(tmp_path / "ports", [taken, free])
        assert claims.claim() == free
        with pytest.raises(RuntimeError, match="every port"):
            claims.claim()
        claims.close()


def test_the_system_gives_no_connection_such_a_port() -> None:
    first, last = given_to_connections()
    found = {free_port() for _ in range(50)}
    assert len(found) == 50
    assert not [port for port in found if first <= port <= last]


@pytest.mark.parametrize(
    ("given", "ports"),
    [
        ((32768, 60999), range(16384, 32768)),
        ((1024, 40000), range(40001, 65536)),
        ((20000, 30000), range(30001, 65536)),
    ],
)
def test_ports_are_outside_of_what_the_system_gives(given: tuple[int, int], ports: range) -> None:
    assert outside_of(given) == ports

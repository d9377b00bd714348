"""The maildrop of one account, wanted from two server processes on one state folder."""

import poplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.live import ACCOUNTS, CONFIG, PATIENCE, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

pytestmark = pytest.mark.whole


class PopServer:
    """One process, which serves POP3 alone."""

    def __init__(self, folder: Path, number: int) -> None:
        self.port = free_port()
        config = folder / f"pop{number}.toml"
        config.write_text(
            f'{CONFIG}[[listener]]\nservice = "pop3"\ncleartext_passwords = true\n'
            f'endpoint = "tcp:{self.port}:interface=127.0.0.1"\n'
        )
        self.log = folder / f"log{number}"
        self.process = ServerProcess(config, self.log)

    def login(self) -> poplib.POP3:
        client = poplib.POP3("127.0.0.1", self.port, PATIENCE)
        client.user(ACCOUNTS[0])
        client.pass_("secret")
        return client

    def is_in_use(self) -> bool:
        try:
            self.login().quit()
        except poplib.error_proto as error:
            return "[IN-USE] Another POP3 session has the maildrop open" in str(error)
        return False


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[tuple[PopServer, PopServer]]:
    furnish(tmp_path)
    one, other = PopServer(tmp_path, 0), PopServer(tmp_path, 1)
    yield one, other
    for server in (one, other):
        server.process.stop()
        assert "Traceback" not in server.log.read_text()


def test_a_session_of_one_process_keeps_those_of_the_other_out(
    twins: tuple[PopServer, PopServer],
) -> None:
    for one, other in (twins, twins[::-1]):
        session = one.login()
        assert other.is_in_use()
        assert one.is_in_use()
        session.quit()
        assert not other.is_in_use()
        assert not one.is_in_use()


def test_a_connection_that_is_cut_gives_the_maildrop_to_the_other_process(
    twins: tuple[PopServer, PopServer],
) -> None:
    one, other = twins
    session = one.login()
    assert other.is_in_use()
    session.close()
    assert any(not other.is_in_use() for _ in range(100))


def test_a_process_that_is_killed_gives_the_maildrop_to_the_other(
    twins: tuple[PopServer, PopServer],
) -> None:
    one, other = twins
    session = one.login()
    assert other.is_in_use()
    one.process.kill()
    session.close()
    assert not other.is_in_use()
    one.process.start()

"""kill -9 in the middle of list posts: what was answered 250 reaches every member, whole."""

from pathlib import Path

import pytest

from tests.whole import test_kill
from tests.whole.process import ServerProcess
from tests.whole.queued import wait_until_empty

pytestmark = pytest.mark.whole
UNNOTED = 20  # copies to one account that were made when the server ended, and not noted yet
config = test_kill.config


class Posters(test_kill.Senders):
    """Members who write to the list until the server is gone."""

    sender, recipients = "alice@example.org", ("news@example.org",)


@pytest.mark.parametrize("enough", [1, 30])
def test_every_post_answered_250_reaches_every_member(
    config: tuple[Path, int, int], enough: int
) -> None:
    file, smtp, imap = config
    server = ServerProcess(file, file.parent / "log")
    posters = Posters(smtp, 5, enough)
    assert posters.is_enough.wait(60)
    server.kill()
    for thread in posters.threads:
        thread.join(30)
    server.start()
    try:
        wait_until_empty(file.parent / "state")
        for account in ("alice@example.org", "bob@example.org"):
            names = test_kill.received(imap, account)
            assert posters.answered <= set(names)
            assert sum(names.values()) - len(names) <= UNNOTED
    finally:
        assert server.stop()

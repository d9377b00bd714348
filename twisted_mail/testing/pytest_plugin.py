"""Fixtures for pytest: ``mail_server``, and ``make_mail_server`` for servers with options.

Found by its entry point; the server is imported only where a test asks for one.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest


@pytest.fixture
def make_mail_server() -> Iterator[Callable[..., Any]]:
    """Return what makes servers, with the arguments of ``twisted_mail.testing.server.MailServer``.

    Each is closed at the end of the test.
    """
    from twisted_mail.testing.server import MailServer

    with ExitStack() as servers:
        yield lambda *accounts, **options: servers.enter_context(MailServer(*accounts, **options))


@pytest.fixture
def mail_server(make_mail_server: Callable[..., Any]) -> Any:
    """Return a mail server in memory with the accounts alice and bob@example.org (``secret``)."""
    return make_mail_server()

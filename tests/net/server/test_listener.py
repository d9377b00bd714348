"""Why a listener cannot listen."""

import errno
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import CannotListenError

from twisted_mail.net.server.listener import CannotListen, Listener
from twisted_mail.testing.doubles import finish


class Refused:
    """An endpoint on which nobody can listen."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def listen(self, factory: object) -> Deferred[Any]:
        return fail(self.error)


def cannot(port: Any, number: int, text: str) -> CannotListenError:
    return CannotListenError("", port, OSError(number, text))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (cannot(25, errno.EADDRINUSE, "Address already in use"), "Address already in use"),
        (cannot(25, errno.EACCES, "Permission denied"), "need root or CAP_NET_BIND_SERVICE"),
        (cannot("/run/x", errno.EACCES, "Permission denied"), "smtp on x: Permission denied"),
        (ValueError("of a plugin"), "of a plugin"),
        (ValueError(), "ValueError"),
    ],
)
def test_the_reason_is_in_words(error: Exception, words: str) -> None:
    listener = Listener(0, "smtp on x", Refused(error), None)  # type: ignore[arg-type]
    with pytest.raises(CannotListen) as caught:
        finish(listener.listen())
    assert str(caught.value).startswith("cannot listen: smtp on x: ")
    assert str(caught.value).endswith(words)

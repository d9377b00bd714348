import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IAnonymous, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.strcred import ICheckerFactory, InvalidAuthType
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from tests.auth.fakes import directory
from twisted_mail.auth import checkers
from twisted_mail.auth.checkers import DirectoryChecker, FirstOf, checker, directory_checker
from twisted_mail.mail.outcome import Unavailable

case = SynchronousTestCase()


def ask(which, name, password):
    return which.requestAvatarId(UsernamePassword(name, password))


def refused(deferred):
    case.failureResultOf(deferred, UnauthorizedLogin)
    return True


def test_the_interfaces_are_kept():
    assert verifyObject(ICheckerFactory, directory_checker)
    assert verifyObject(ICredentialsChecker, DirectoryChecker())
    assert verifyObject(ICredentialsChecker, FirstOf(()))


def test_the_directory_is_asked():
    which = DirectoryChecker(directory())
    assert case.successResultOf(ask(which, b"alice@example.org", b"secret")) == b"alice@example.org"
    assert refused(ask(which, b"alice@example.org", b"wrong"))
    assert refused(ask(which, b"nobody@example.org", b"secret"))
    assert refused(ask(which, b"\xff", b"secret"))


def test_a_bare_user_name_gets_the_default_domain():
    which = checker(["directory"], directory(), "example.org")
    assert case.successResultOf(ask(which, b"alice", b"secret")) == b"alice@example.org"


def test_without_a_directory_no_password_can_be_checked():
    case.failureResultOf(ask(DirectoryChecker(), b"alice", b"secret"), LoginFailed)


def test_strcred_finds_the_directory_checker():
    which = checker(["directory"], directory())
    assert case.successResultOf(ask(which, b"bob@example.org", b"sesame")) == b"bob@example.org"


def test_the_memory_checker_works_although_strcred_fills_it_with_str():
    which = checker(["memory:alice:f:bob:g"], directory())
    assert case.successResultOf(ask(which, b"bob", b"g")) == b"bob"
    assert refused(ask(which, b"bob", b"f"))


def test_the_file_checker_works(tmp_path):
    path = tmp_path / "passwords"
    path.write_text("carol@example.net:h\n")
    which = checker([f"file:{path}"], directory())
    assert case.successResultOf(ask(which, b"carol@example.net", b"h")) == b"carol@example.net"
    assert refused(ask(which, b"carol@example.net", b""))


def test_checkers_are_asked_in_order_until_one_knows():
    which = checker(["memory:alice:f", "directory"], directory())
    assert case.successResultOf(ask(which, b"alice", b"f")) == b"alice"
    assert case.successResultOf(ask(which, b"bob@example.org", b"sesame")) == b"bob@example.org"
    assert refused(ask(which, b"alice", b"secret"))


@implementer(ICredentialsChecker)
class BrokenChecker:
    credentialInterfaces = ()

    def requestAvatarId(self, credentials):
        raise Unavailable("lost")


def test_a_broken_checker_spoils_a_refusal_and_not_a_login():
    which = FirstOf((BrokenChecker(), DirectoryChecker(directory())))
    assert case.successResultOf(ask(which, b"alice@example.org", b"secret"))
    case.failureResultOf(ask(which, b"alice@example.org", b"wrong"), Unavailable)


def test_mistakes_in_the_configuration_are_reported():
    with pytest.raises(InvalidAuthType):
        checker(["nosuch:thing"], directory())
    with pytest.raises(ValueError, match="takes no argument"):
        checker(["directory:x"], directory())
    with pytest.raises(ValueError, match="takes no passwords"):
        checker(["anonymous"], directory())


def test_anonymous_is_not_a_password():
    assert not IAnonymous.isOrExtends(checkers.IUsernamePassword)


def test_a_checker_may_take_its_time():
    waiting = Deferred()

    @implementer(ICredentialsChecker)
    class Slow:
        credentialInterfaces = ()

        def requestAvatarId(self, credentials):
            return waiting

    asked = ask(FirstOf((Slow(),)), b"alice", b"f")
    case.assertNoResult(asked)
    waiting.callback(b"alice")
    assert case.successResultOf(asked) == b"alice"

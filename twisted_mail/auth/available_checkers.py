"""Which checkers ``[login] checkers`` can name, in lines for people."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import InvalidAuthType, findCheckerFactories, findCheckerFactory


def checker_list() -> Iterator[str]:
    """Return a line for each installed checker that takes passwords, with the form of its argument."""
    yield 'In the configuration: [login] checkers = ["TYPE", "TYPE:ARGUMENT"], asked in this order.'
    yield "More about one: twistd mailserver --help-auth-type TYPE"
    yield ""
    found: Any = findCheckerFactories()  # type: ignore[no-untyped-call]
    usable = sorted((one for one in found if _takes_passwords(one)), key=attrgetter("authType"))
    width = max((len(one.authType) for one in usable), default=0)
    for one in usable:
        yield f"  {one.authType:{width}}  {one.argStringFormat}"


def checker_help(name: str) -> Iterator[str]:
    """Return what a checker says of itself. Raises ValueError if there is none of the name."""
    try:
        factory: Any = findCheckerFactory(name)  # type: ignore[no-untyped-call]
    except InvalidAuthType:
        raise ValueError(
            f"there is no checker {name!r}; see twistd mailserver --help-auth"
        ) from None
    return _explained(factory)


def _explained(factory: Any) -> Iterator[str]:
    yield f"{factory.authType}: {factory.argStringFormat}"
    yield ""
    for line in factory.authHelp.strip().splitlines():
        yield f"  {line.rstrip()}".rstrip()
    if not _takes_passwords(factory):
        yield ""
        yield "  It takes no passwords, so the mail server cannot use it."


def _takes_passwords(factory: Any) -> bool:
    return any(kind.isOrExtends(IUsernamePassword) for kind in factory.credentialInterfaces)

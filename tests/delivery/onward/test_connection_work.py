"""What goes over a connection, while others want its place."""

from tests.delivery.onward.fakes import FakeWork, transaction
from twisted_mail.delivery.onward.connection_work import ConnectionWork
from twisted_mail.delivery.onward.mail_hosts import HostAddresses
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.interfaces import Site
from twisted_mail.testing.doubles import finish

HOSTS = NextHosts(Site("smtp", "x"), (HostAddresses(10, "mx.example", ("192.0.2.1",)),), 100)


def test_a_connection_ends_for_a_site_that_has_fewer_though_there_is_more() -> None:
    first, second = (
        transaction("bob@there.example", id="a"),
        transaction("eve@there.example", id="b"),
    )
    queued = FakeWork(waiting=[second])
    owed = [False]
    work = ConnectionWork(
        queued, first, ("mx.example", "192.0.2.1"), lambda _: HOSTS, is_owed=lambda: owed[0]
    )
    owed[0] = True
    assert work.next() is first  # for which it was opened
    assert work.next() is None
    assert finish(work.wait(5.0)) is None
    assert queued.waiting == [second]
    owed[0] = False
    assert work.next() is second

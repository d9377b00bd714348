"""The post office: everything that delivers mail here, made and connected."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.delivery.distribution import Distribution
from twisted_mail.delivery.doers import Doer
from twisted_mail.delivery.doors import Doors, Elsewhere
from twisted_mail.delivery.each import EachDelivery
from twisted_mail.delivery.errands import ProgramErrands, Run
from twisted_mail.delivery.letters import Post
from twisted_mail.delivery.lists import Held, ListDesk
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.delivery.parcel import LISTS
from twisted_mail.delivery.parcels import ParcelFolder
from twisted_mail.delivery.program import Program
from twisted_mail.delivery.report import FailureReports
from twisted_mail.delivery.settings import ListSettings, WaitingSettings
from twisted_mail.delivery.waiting import Waiting
from twisted_mail.interfaces import Blocking, Clock, Journal, Rolls, Router, Store

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Supplies:
    """What the post office works with.

    ``folder`` is where parcels lie. ``files`` is for short work with files, and ``running`` for
    programs, which ``run`` runs and which take long.
    """

    hostname: str
    router: Router
    store: Store
    rolls: Rolls
    journal: Journal
    clock: Clock
    folder: str
    files: Blocking
    running: Blocking
    run: Run
    programs: Sequence[Program] = ()
    lists: ListSettings = field(default_factory=ListSettings)
    waiting: WaitingSettings = field(default_factory=WaitingSettings)
    elsewhere: Elsewhere | None = None


class PostOffice:
    """Has the queue through which mail comes in, and the work that is to be done again and again."""

    def __init__(self, supplies: Supplies) -> None:
        of = supplies
        self._settings = of.lists
        self._programs = of.programs
        folder = ParcelFolder(of.folder)
        self._waiting = Waiting(folder, of.files, of.clock, of.journal, of.waiting)
        doors = Doors(of.router, of.store, of.journal, of.clock, self._waiting, of.elsewhere)
        self.queue = LocalDelivery(doors)
        self.each = EachDelivery(doors)
        post = Post(self.queue, of.clock, of.hostname)
        self._distribution = Distribution(
            of.rolls, self.queue, folder, post, of.files, of.journal, of.lists
        )
        self.lists = ListDesk(
            of.rolls, self._distribution, post, of.files, of.lists, Held(self._held, folder.say)
        )
        programs = ProgramErrands(of.programs, of.run, of.running)
        doers: dict[str, Doer] = {f"|{program.name}": programs for program in of.programs}
        reports = FailureReports(post, of.hostname, of.files)
        self._waiting.seat({LISTS: self.lists, **doers}, self.lists, reports)

    def _held(self) -> int:
        return len(self._waiting.held)

    def load(self) -> None:
        """Take up the mail that waits on disk. Blocks; raises OSError."""
        self._waiting.load()

    def work(self) -> list[tuple[str, Work]]:
        """Return the work that waits now and then, by names: one piece may take long."""
        found: list[tuple[str, Work]] = [
            ("mailing lists", partial(self._waiting.work, LISTS)),
            ("held posts", self._look_after_held),
        ]
        for program in self._programs:
            one: Work = partial(self._waiting.work, f"|{program.name}")
            found += [(f"program {program.name}", one)] * program.max_running
        return found

    async def _look_after_held(self) -> None:
        if not self._held():
            return
        await self._waiting.listen()
        await self._waiting.expire(self._settings.held_days * 86400)

    def stop(self) -> None:
        """Begin nothing more."""
        self._waiting.stop()
        self._distribution.stop()

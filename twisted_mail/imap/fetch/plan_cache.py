"""Plans kept by the text they were compiled from: clients ask for the same items all day."""

from collections.abc import Mapping

from twisted_mail.imap.fetch.item import FetchItem
from twisted_mail.imap.fetch.items import read_items
from twisted_mail.imap.fetch.plan import FetchPlan, compile_plan
from twisted_mail.imap.grammar import Reader

MAX_PLANS = 500
MAX_TEXT = 300  # octets; the plan of a longer text is not kept

PlanKey = tuple[bytes, bool]  # the text after the numbers, and whether the command was UID FETCH


class FetchPlans(dict[PlanKey, FetchPlan]):
    """The plans of one service. ``known_items`` are the items it knows, by name.

    A plan that is not there is compiled when it is looked up, which raises ProtocolError. Of too many the
    first that was kept goes first.
    """

    def __init__(self, known_items: Mapping[str, FetchItem], max_plans: int = MAX_PLANS) -> None:
        super().__init__()
        self.known_items = known_items
        self._max_plans = max_plans

    def __missing__(self, key: PlanKey) -> FetchPlan:
        text, is_uid = key
        reader = Reader(text)
        requested = read_items(reader, self.known_items)
        reader.end()
        plan = compile_plan(requested, is_uid)
        if len(text) <= MAX_TEXT:
            self[key] = plan
            if len(self) > self._max_plans:
                del self[next(iter(self))]
        return plan

"""Plans kept by the text they were compiled from: clients ask for the same items all day."""

from collections import OrderedDict
from collections.abc import Mapping

from twisted_mail.imap.fetch.item import FetchItem
from twisted_mail.imap.fetch.items import read_items
from twisted_mail.imap.fetch.plan import FetchPlan, compile_plan
from twisted_mail.imap.grammar import Reader

MAX_PLANS = 500
MAX_TEXT = 300  # octets; the plan of a longer text is not kept


class FetchPlans:
    """The plans of one service. ``items`` are those it knows, by name."""

    def __init__(self, items: Mapping[str, FetchItem], max_plans: int = MAX_PLANS) -> None:
        self.items = items
        self._max_plans = max_plans
        self._plans: OrderedDict[tuple[bytes, bool], FetchPlan] = OrderedDict()

    def read(self, reader: Reader, is_uid: bool) -> FetchPlan:
        """Return the plan for the items that a FETCH ends with. Raises ProtocolError."""
        key = (reader.data[reader.position :], is_uid)
        plan = self._plans.get(key)
        if plan is not None:
            self._plans.move_to_end(key)
            return plan
        requested = read_items(reader, self.items)
        reader.end()
        plan = compile_plan(requested, is_uid)
        if len(key[0]) <= MAX_TEXT:
            self._keep(key, plan)
        return plan

    def _keep(self, key: tuple[bytes, bool], plan: FetchPlan) -> None:
        self._plans[key] = plan
        if len(self._plans) > self._max_plans:
            self._plans.popitem(last=False)

import pytest

from twisted_mail.imap.bulk_column import PREVIEW, THREAD_IDS
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.fetch.body_sections import SectionExtent
from twisted_mail.imap.fetch.item import FetchBatch, FetchItem
from twisted_mail.imap.fetch.items import BODY, ENVELOPE, read_items
from twisted_mail.imap.fetch.plan import FetchPlan, compile_plan
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems

KNOWN = make_tables().fetch_plans.known_items
SEEN = flags.normal(["\\Seen"])


def plan_of(data: bytes, is_uid: bool = False) -> FetchPlan:
    return compile_plan(read_items(Reader(data), KNOWN), is_uid)


def two() -> FetchBatch:
    return FetchBatch([1, 3], [11, 33], [flags.NONE, SEEN], [0, 86399], [5, 6])


def test_columns_become_lines_in_the_order_asked():
    assert plan_of(b"(RFC822.SIZE FLAGS UID INTERNALDATE)").lines(two()) == (
        b'* 1 FETCH (RFC822.SIZE 5 FLAGS () UID 11 INTERNALDATE " 1-Jan-1970 00:00:00 +0000")\r\n'
        b"* 3 FETCH (RFC822.SIZE 6 FLAGS (\\Seen) UID 33 "
        b'INTERNALDATE " 1-Jan-1970 23:59:59 +0000")\r\n'
    )


def test_uid_fetch_sends_the_uid_unasked():
    assert plan_of(b"FLAGS", is_uid=True).lines(two()).startswith(b"* 1 FETCH (UID 11 FLAGS ())")


def test_uid_fetch_sends_the_uid_once():
    line = plan_of(b"(FLAGS UID)", is_uid=True).lines(two()).splitlines()[0]
    assert line == b"* 1 FETCH (FLAGS () UID 11)"


def test_rendered_items_go_in_as_they_are():
    batch = two()
    rendered = [
        RenderedItems(b"(E1)", b"(B1)", b"(S1)", 1),
        RenderedItems(b"(E2)", b"(B2)", b"(S2)", 2),
    ]
    batch.rendered = rendered
    plan = plan_of(b"(ENVELOPE BODY BODYSTRUCTURE)")
    assert plan.tier is ItemTier.STRUCTURE
    assert plan.lines(batch).splitlines() == [
        b"* 1 FETCH (ENVELOPE (E1) BODY (B1) BODYSTRUCTURE (S1))",
        b"* 3 FETCH (ENVELOPE (E2) BODY (B2) BODYSTRUCTURE (S2))",
    ]


@pytest.mark.parametrize(
    ("data", "needs"),
    [
        (b"(FLAGS UID)", False),
        (b"BODY[]", False),
        (b"BODY[1]", False),
        (b"BODY[HEADER]", True),
        (b"RFC822.TEXT", True),
        (b"ENVELOPE", True),
    ],
)
def test_only_what_needs_them_reads_rendered_items(data, needs):
    assert plan_of(data).tier is (ItemTier.HEADER if needs else None)


def test_of_several_tiers_the_highest_is_loaded():
    everything = FetchItem("X-ALL", PREVIEW)
    assert compile_plan([ENVELOPE], is_uid=False).tier is ItemTier.HEADER
    assert compile_plan([ENVELOPE, BODY], is_uid=False).tier is ItemTier.STRUCTURE
    assert compile_plan([BODY, everything, ENVELOPE], is_uid=False).tier is ItemTier.PREVIEW
    assert compile_plan([ENVELOPE], is_uid=False).loads == ()


def test_other_bulk_columns_are_loaded_besides():
    thread = FetchItem("X-THREAD", THREAD_IDS, lambda name: name.upper().encode())
    plan = compile_plan([thread, ENVELOPE], is_uid=False)
    assert (plan.tier, plan.loads) == (ItemTier.HEADER, (THREAD_IDS,))
    batch = two()
    batch.rendered = [RenderedItems(b"(E)", b"", b"", 1)] * 2
    batch.loaded[THREAD_IDS] = ["a", "b"]
    assert plan.lines(batch).splitlines() == [
        b"* 1 FETCH (X-THREAD A ENVELOPE (E))",
        b"* 3 FETCH (X-THREAD B ENVELOPE (E))",
    ]


def test_flags_that_the_fetch_altered_are_sent():
    batch = two()
    batch.sections = [[None, None]]
    batch.changed = frozenset({33})
    assert plan_of(b"BODY[]").lines(batch).splitlines() == [
        b"* 1 FETCH (BODY[] NIL)",
        b"* 3 FETCH (BODY[] NIL FLAGS (\\Seen))",
    ]


def test_altered_flags_are_sent_once():
    batch = two()
    batch.sections = [[None, None]]
    batch.changed = frozenset({33})
    plan = plan_of(b"(FLAGS BODY[])")
    assert plan.lines(batch).splitlines()[1] == b"* 3 FETCH (FLAGS (\\Seen) BODY[] NIL)"


def test_a_percent_sign_in_a_field_name_is_no_place():
    batch = two()
    batch.sections = [[b"", b""]]
    plan = plan_of(
        b"BODY.PEEK[HEADER.FIELDS (%b %d%%)]".replace(b"%b", b'"%b"').replace(b"%d%%", b'"%d%%"')
    )
    label = b'BODY[HEADER.FIELDS ("%b" "%d%%")]'
    assert plan.lines(batch).startswith(b"* 1 FETCH (" + label + b" {0}")
    one = FetchBatch([1], [11], [SEEN], [0], [5], sections=[[b""]])
    assert plan.lines(one) == b"* 1 FETCH (" + label + b" {0}\r\n)\r\n"


def test_sections_are_literals_between_the_other_values():
    plan = plan_of(b"(UID BODY[] BODY[1]<3.4> RFC822.SIZE BODY[2])")
    batch = two()
    batch.sections = [[b"one", b"three"], [b"x", None], [None, b""]]
    assert plan.lines(batch) == (
        b"* 1 FETCH (UID 11 BODY[] {3}\r\none BODY[1]<3> {1}\r\nx RFC822.SIZE 5 BODY[2] NIL)\r\n"
        b"* 3 FETCH (UID 33 BODY[] {5}\r\nthree BODY[1]<3> NIL RFC822.SIZE 6 BODY[2] {0}\r\n)\r\n"
    )


def test_an_extent_comes_out_of_the_pieces_as_it_is():
    one = FetchBatch([1], [11], [SEEN], [0], [5], sections=[[SectionExtent(11, 0, 5)]])
    assert list(plan_of(b"(UID BODY.PEEK[])").pieces(one)) == [
        b"* 1 FETCH (UID 11 BODY[] ",
        SectionExtent(11, 0, 5),
        b")\r\n",
    ]

"""Reading back in parts: what one brought is told whatever becomes of the others."""

from collections.abc import Callable

from privstream.exchanges.base import unrecognised
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.model.errors import Interrupted, PermissionMissing, Unavailable
from privstream.model.reports import AnyReport, Backfill, Listed, NoticeReport, OrderReport
from privstream.model.rest import Call, HttpRequest, RestFlow
from tests.rest_play import answer, play

CALL = Call(build=lambda _: HttpRequest("GET", "/x"), name="x")
ORDERS = [OrderReport(str(number), {}) for number in range(4)]


def part(name: str, *pages: AnyReport | Exception) -> Part:
    """A part of so many pages; an error ends it."""

    def read(found: Found) -> RestFlow[None]:
        for page in pages:
            yield CALL
            if isinstance(page, Exception):
                raise page
            found.take([page])

    return Part(name, read)


def read(*parts: Part) -> Backfill:
    return play(in_parts(parts), lambda *_: answer("1"))


def test_all_parts_together_are_complete() -> None:
    found = read(part("fills", ORDERS[0]), part("ended orders", ORDERS[1], ORDERS[2]))
    assert found == Backfill(tuple(ORDERS[:3]), complete=True)


def test_what_a_part_has_brought_is_told_though_it_ends_with_an_error() -> None:
    problem = Unavailable("Sixtex is busy")
    found = read(part("fills", ORDERS[0], problem, ORDERS[3]), part("ended orders", ORDERS[1]))
    assert found.reports == tuple(ORDERS[:2])
    assert not found.complete
    assert found.detail == "fills: Sixtex is busy"
    assert found.problems == (problem,)
    assert found.retryable


def test_a_hint_goes_with_what_is_lacking_and_one_reason_is_said_once() -> None:
    problem = PermissionMissing("the key may not", "let it")
    found = read(part("fills", problem), part("balances", ORDERS[0]), part("orders", problem))
    assert found.detail == "fills, orders: the key may not; let it"
    assert not found.retryable
    assert found.reports == (ORDERS[0],)


def test_an_answer_of_another_shape_costs_its_part_only() -> None:
    found = read(part("fills", KeyError("x")), part("orders", ORDERS[0]))
    assert found.detail == "fills: an answer is not as documented (KeyError)"
    assert found.retryable
    assert found.reports == (ORDERS[0],)


def test_a_row_that_cannot_be_read_makes_its_part_lack() -> None:
    row = unrecognised({}, "cannot read this element")
    assert read(part("ended orders", row)).detail == "ended orders: one row could not be read"
    found = read(part("ended orders", row, ORDERS[0], row))
    assert found.detail == "ended orders: 2 rows could not be read"
    assert len(found.reports) == 3, "the notices are told too"


def test_another_notice_lacks_nothing() -> None:
    assert read(part("fills", NoticeReport("info", "welcome", "hello"))).complete
    side_value = NoticeReport("warning", "unrecognised", "cannot read `fee`", once="trade:fee")
    assert read(part("fills", side_value)).complete, "the fill itself was told"


def test_an_interruption_ends_it_with_what_is_there() -> None:
    flow = in_parts([part("fills", ORDERS[0], ORDERS[1]), part("orders"), part("balances")])
    next(flow)
    flow.send(answer("1"))
    found = ended(lambda: flow.throw(Interrupted("the connection broke")))
    assert found.reports == (ORDERS[0],)
    assert found.detail == "fills: the connection broke; orders, balances: not read"


def test_what_the_runner_gave_up_on_is_thrown_in_and_costs_its_part_only() -> None:
    flow = in_parts([part("fills", ORDERS[0]), part("orders", ORDERS[1])])
    next(flow)
    assert flow.throw(Unavailable("out of reach")).name == "x"
    found = ended(lambda: flow.send(answer("1")))
    assert found == Backfill(
        (ORDERS[1],), complete=False, detail="fills: out of reach", problems=found.problems
    )


def test_a_list_ends_only_where_nothing_of_it_is_lacking() -> None:
    found, broken, doubtful = Found(), Found(), Found()
    broken.take([unrecognised({}, "cannot read this element")])
    doubtful.lack("there were more")
    for one in (found, broken, doubtful):
        one.end_list(Listed("orders"))
    assert found.reports == [Listed("orders")]
    assert Listed("orders") not in (*broken.reports, *doubtful.reports)


def ended(step: Callable[[], object]) -> Backfill:
    """What the flow returned with this step."""
    try:
        step()
    except StopIteration as end:
        found: Backfill = end.value
        return found
    raise AssertionError("it goes on")

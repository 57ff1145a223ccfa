"""Poloniex's smart orders, of which no channel tells, beside a stream that is compared."""

from functools import lru_cache

from privstream.model.events import Gap, Notice, Order
from privstream.simulator.poloniex.words import is_smart, smart_id
from tests.joined import World


@lru_cache
def watched() -> World:
    run = World("poloniex", seed=3, limits=False, audit_every=20.0)
    run.watch(150)
    return run


def states() -> dict[str | None, list[Order]]:
    found: dict[str | None, list[Order]] = {}
    for order in watched().told(Order):
        found.setdefault(order.order_id, []).append(order)
    return found


def test_a_stop_that_only_rest_tells_of_is_no_sign_of_a_lost_frame() -> None:
    assert watched().told(Gap) == []


def test_what_is_not_streamed_is_said_once() -> None:
    notices = [notice for notice in watched().told(Notice) if notice.code == "not_streamed"]
    assert len(notices) == 1


def test_stops_are_told_by_the_comparison_and_what_they_set_off_by_the_stream() -> None:
    books = watched().simulated.market.books  # type: ignore[attr-defined]  # it has them
    told = states()
    smart = [order for order in books.orders.values() if is_smart(order)]
    known = [order for order in smart if smart_id(order) in told]
    assert known
    for order in known:
        of_stop = told[smart_id(order)]
        assert {event.source for event in of_stop} <= {"rest", "snapshot"}
        assert {event.filled for event in of_stop} == {"0"}
        if of_stop[-1].reason == "triggered":
            assert of_stop[-1].status == "canceled"
            assert {event.source for event in told.get(order.order_id, [])} <= {
                "stream",
                "snapshot",
            }

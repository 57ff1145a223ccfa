"""An order whose answer is lost: found, or said to be in doubt, and never sent twice."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from privstream.connection.orders.broker import ANSWER_LIMIT, LAST_LOOK, LOOK_LIMIT, LOOKS_FOR
from privstream.connection.orders.placing import Placement
from privstream.model.errors import (
    Exit,
    FateUnknown,
)
from tests.connection.order_tests import BOTH, orders_sent, refusal, without
from tests.joined import World
from tests.lost_answers import lose_an_answer
from tests.order_world import OrderWorld
from tests.rest_play import answer


@BOTH
@pytest.mark.parametrize("fault", ["swallow@0s", "swallow=cut@0s"])
def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(name: str, fault: str) -> None:
    desk = OrderWorld(name, faults=[fault])
    ticket = desk.ticket()
    placement = desk.placement(ticket)
    order = placement.run()
    assert order is not None
    (booked,) = desk.booked(ticket)
    assert (order.order_id, order.status) == (booked.order_id, booked.status)
    assert placement.was_lost
    assert orders_sent(desk) == 1
    assert any("answer was lost, but the order was found" in said for said in desk.said)


def test_an_order_that_the_stream_tells_of_is_not_waited_for_much_longer() -> None:
    desk = OrderWorld(faults=["swallow@0s"])
    before = desk.world.clock.now().monotonic
    desk.place(desk.ticket())
    assert desk.world.clock.now().monotonic - before < ANSWER_LIMIT / 2


def test_whatever_way_an_answer_is_lost_there_is_one_order_and_a_truthful_report() -> None:
    # A hundred of them: python -m tests.benchmarks.orders
    fates = [lose_an_answer(seed) for seed in range(1000, 1009)]
    assert [fate for fate in fates if fate.orders != 1 or fate.problem] == []


@BOTH
def test_an_order_that_is_not_found_has_an_unknown_fate(name: str) -> None:
    desk = OrderWorld(name, faults=["swallow=cut@0s"])
    ticket = desk.ticket()
    placement = desk.placement(ticket)
    before = desk.world.clock.now().monotonic
    desk.out_of_reach_once_lost(1000)
    error = refusal(desk, placement)
    assert isinstance(error, FateUnknown)
    assert (error.exit, error.retryable) == (Exit.UNREACHABLE, False)
    assert str(ticket.client_order_id) in error.message
    assert "unknown" in error.message
    assert "failed" not in error.message
    assert f"privstream order get {name} {ticket.client_order_id}" in (error.hint or "")
    assert orders_sent(desk) == 1
    assert len(desk.booked(ticket)) == 1
    passed = desk.world.clock.now().monotonic - before
    assert LOOKS_FOR - LAST_LOOK <= passed < ANSWER_LIMIT + LOOKS_FOR + 2 * LOOK_LIMIT


def test_a_server_that_answers_nothing_is_given_up_when_it_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Zerocap's looks are over REST alone, each of which may hang."""
    desk = OrderWorld("zerocap", faults=["swallow=cut@0s"])
    find = desk.entry.find

    def hanging(*wanted: Any) -> Any:
        desk.world.rest_takes = 1000.0
        return find(*wanted)

    monkeypatch.setattr(desk.entry, "find", hanging)
    before = desk.world.clock.now().monotonic
    error = refusal(desk, desk.placement(desk.ticket()))
    assert isinstance(error, FateUnknown)
    assert any(f"for up to {LOOKS_FOR:.0f} s" in said for said in desk.said)
    passed = desk.world.clock.now().monotonic - before
    assert LOOKS_FOR - LAST_LOOK <= passed < LOOKS_FOR + 0.5


def test_an_order_that_rest_does_not_tell_of_is_found_on_a_new_connection() -> None:
    desk = OrderWorld(faults=["swallow=cut@0s"])
    ticket = desk.ticket()
    placement = desk.placement(ticket)
    mute = {"OpenOrders", "ClosedOrders", "QueryOrders"}
    desk.world.refuse = lambda request: (
        answer("down", 503) if request.path.rpartition("/")[2] in mute else None
    )
    order = placement.run()
    assert order is not None
    assert (order.source, order.status) == ("snapshot", "open")


def test_an_answer_that_leaves_it_open_is_looked_into() -> None:
    desk = OrderWorld()
    ticket = desk.ticket()
    placement = desk.placement(ticket)

    def busy(text: str) -> Iterable[str]:
        if '"add_order"' not in text:
            return [text]
        said = {"error": "EService:Deadline elapsed", "success": False}
        return [json.dumps({**json.loads(text), **said, "result": None})]

    desk.world.spoil = busy
    order = placement.run()
    assert order is not None
    assert order.order_id == desk.booked(ticket)[0].order_id
    assert orders_sent(desk) == 1


def test_a_client_id_that_was_used_before_does_not_name_the_old_order() -> None:
    desk = OrderWorld(faults=["swallow=cut@100s"])
    ticket = desk.ticket(order_type="market", price=None)
    first = desk.place(ticket)
    desk.world.pass_time(100)
    second = desk.placement(ticket, has_fresh_id=False).run()
    assert second is not None
    assert second.order_id != first.order_id
    assert len(desk.booked(ticket)) == 2


def test_an_order_with_a_reference_only_is_found_by_it_and_by_its_terms() -> None:
    desk = OrderWorld(faults=["swallow=cut@0s"])
    ticket = desk.ticket(client_order_id=None, options={"userref": "77"})
    order = desk.placement(ticket, has_fresh_id=False).run()
    assert order is not None
    assert (order.source, order.status, order.quantity) == ("rest", "open", "0.01000000")


def test_an_order_that_stood_before_is_not_taken_for_the_one_whose_answer_was_lost() -> None:
    desk = OrderWorld(faults=["swallow=cut:2@0s"])
    ticket = desk.ticket(client_order_id=None, options={"userref": "77"})
    first = desk.placement(ticket, has_fresh_id=False).run()
    second = desk.placement(ticket, has_fresh_id=False).run()
    assert first is not None
    assert second is not None
    assert first.order_id != second.order_id


def test_where_more_than_one_order_fits_nobody_says_which_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As where another program of the user's places the same at the same moment.
    monkeypatch.setattr(Placement, "_standing", lambda *_: frozenset())
    desk = OrderWorld(faults=["swallow=cut:2@0s"])
    ticket = desk.ticket(client_order_id=None, options={"userref": "77"})
    first = desk.placement(ticket, has_fresh_id=False).run()
    assert first is not None
    error = refusal(desk, desk.placement(ticket, has_fresh_id=False))
    assert isinstance(error, FateUnknown)
    assert "more than one order fits" in error.message
    assert first.order_id in error.message


def test_an_order_that_was_taken_and_is_told_by_nobody_is_told_as_far_as_it_is_certain() -> None:
    desk = OrderWorld()
    ticket = desk.ticket()
    placement = desk.placement(ticket)
    desk.world.spoil = without('"channel":"executions","type":"update"')
    desk.world.refuse = lambda request: answer("x", 503) if "Orders" in request.path else None
    order = placement.run()
    assert order is not None
    (booked,) = desk.booked(ticket)
    assert (order.order_id, order.status, order.id) == (booked.order_id, "unknown", None)
    assert (order.quantity, order.price, order.filled) == ("0.010", "1000.0", None)
    assert any("its status is not known" in said for said in desk.said)


def test_who_is_broken_off_while_waiting_is_told_that_the_order_was_sent() -> None:
    desk = OrderWorld()
    ticket = desk.ticket()
    placement = desk.placement(ticket)
    desk.world.spoil = without("add_order")
    desk.world.at(1.0, _interrupt)
    with pytest.raises(KeyboardInterrupt):
        placement.run()
    doubt = placement.doubt()
    assert doubt is not None
    assert "was sent" in doubt.message
    assert str(ticket.client_order_id) in doubt.message


def _interrupt(_world: World) -> None:
    raise KeyboardInterrupt

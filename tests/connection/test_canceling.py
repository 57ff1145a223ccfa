"""Canceling: asked once for each order, and told as ended only where the exchange told so."""

import json
from collections.abc import Callable, Iterable

import pytest

from privstream.connection.orders.broker import ANSWER_LIMIT, LAST_LOOK, LOOK_LIMIT, LOOKS_FOR
from privstream.connection.orders.canceling import Cancellation, Outcome
from privstream.model.errors import Exit, FateUnknown, TokenRefused, UnknownOrder, Unreachable
from privstream.model.events import Order
from tests.connection.test_ordering import DEAD, Cache
from tests.joined import World
from tests.joined_socket import JoinedSocket
from tests.order_world import OrderWorld
from tests.rest_play import answer

UNKNOWN = "OAAAAA-ZZZZZ-ZZZZZZ"
PROTOCOLS = pytest.mark.parametrize("protocol", ["v1", "v2"])


def resting(desk: OrderWorld, count: int = 1) -> list[Order]:
    """So many open orders."""
    return [desk.place(desk.ticket(number)) for number in range(1, count + 1)]


def cancel(desk: OrderWorld, *names: str) -> Outcome:
    return Cancellation(desk.broker, names).run()


def cancels_sent(desk: OrderWorld) -> int:
    return len(desk.sent('"cancel_order"')) + len(desk.sent('"cancelOrder"'))


def without(word: str) -> Callable[[str], Iterable[str]]:
    return lambda text: [] if word in text else [text]


@PROTOCOLS
def test_each_order_is_canceled_by_a_request_of_its_own_and_told_as_it_ended(protocol: str) -> None:
    desk = OrderWorld(options={"protocol": protocol})
    orders = resting(desk, 3)
    outcome = cancel(desk, *(order.order_id for order in orders))
    assert outcome.problems == []
    assert [order.order_id for order in outcome.ended] == [order.order_id for order in orders]
    assert {(order.status, order.reason) for order in outcome.ended} == {
        ("canceled", "user_requested")
    }
    assert cancels_sent(desk) == 3


def test_an_order_is_canceled_by_its_client_id_too() -> None:
    desk = OrderWorld()
    (order,) = resting(desk)
    outcome = cancel(desk, str(order.client_order_id))
    assert [ended.order_id for ended in outcome.ended] == [order.order_id]


def test_an_id_named_twice_is_canceled_once() -> None:
    desk = OrderWorld()
    (order,) = resting(desk)
    assert cancel(desk, order.order_id, order.order_id).problems == []
    assert cancels_sent(desk) == 1


def test_where_one_order_is_unknown_the_others_are_canceled() -> None:
    desk = OrderWorld()
    (order,) = resting(desk)
    outcome = cancel(desk, UNKNOWN, order.order_id)
    assert [ended.status for ended in outcome.ended] == ["canceled"]
    (problem,) = outcome.problems
    assert isinstance(problem, UnknownOrder)
    assert UNKNOWN in problem.message
    assert problem.exit == Exit.REFUSED


@pytest.mark.parametrize("fault", ["swallow@100s", "swallow=cut@100s"])
@PROTOCOLS
def test_a_lost_answer_is_looked_into_and_not_asked_for_again(fault: str, protocol: str) -> None:
    desk = OrderWorld(faults=[fault], options={"protocol": protocol})
    (order,) = resting(desk)
    desk.world.pass_time(100)
    outcome = cancel(desk, order.order_id)
    assert outcome.problems == []
    assert [(ended.order_id, ended.status) for ended in outcome.ended] == [
        (order.order_id, "canceled")
    ]
    assert cancels_sent(desk) == 1


def test_an_order_of_which_nothing_is_heard_is_not_said_to_have_ended() -> None:
    desk = OrderWorld(faults=["swallow=cut@100s"])
    (order,) = resting(desk)
    desk.world.pass_time(100)
    desk.world.refuse = lambda request: answer("x", 503) if "Orders" in request.path else None
    before = desk.world.clock.now().monotonic
    outcome = cancel(desk, order.order_id)
    assert outcome.ended == []
    (problem,) = outcome.problems
    assert isinstance(problem, FateUnknown)
    assert (problem.exit, problem.retryable) == (Exit.UNREACHABLE, False)
    assert order.order_id in problem.message
    assert "order list kraken" in (problem.hint or "")
    passed = desk.world.clock.now().monotonic - before
    assert LOOKS_FOR - LAST_LOOK <= passed < ANSWER_LIMIT + LOOKS_FOR + 2 * LOOK_LIMIT


def test_a_cancel_that_was_taken_and_never_happens_is_said_to_be_so() -> None:
    desk = OrderWorld()
    (order,) = resting(desk)
    market = desk.world.simulated.market  # type: ignore[attr-defined] # it has one
    market.cancel = lambda order_id, _now: market.books.orders[order_id]
    outcome = cancel(desk, order.order_id)
    (problem,) = outcome.problems
    assert isinstance(problem, FateUnknown)
    assert "the cancel was sent and taken" in problem.message
    assert "still told as open" in problem.message


def test_an_order_filled_meanwhile_is_printed_and_is_no_success() -> None:
    desk = OrderWorld()
    order = desk.place(desk.ticket(order_type="market", price=None))
    desk.world.spoil = _says_done
    outcome = cancel(desk, order.order_id)
    assert [ended.status for ended in outcome.ended] == ["filled"]
    (problem,) = outcome.problems
    assert "was filled before" in problem.message


def _says_done(text: str) -> Iterable[str]:
    if '"cancel_order"' in text:
        text = json.dumps({**json.loads(text), "success": True, "result": {}})
    return [text]


def test_all_open_orders_are_canceled_by_one_request() -> None:
    desk = OrderWorld().without_life()
    orders = resting(desk, 3)
    outcome = cancel(desk)
    assert outcome.problems == []
    assert {order.order_id for order in outcome.ended} == {order.order_id for order in orders}
    assert len(desk.sent('"cancel_all"')) == 1
    assert cancels_sent(desk) == 0


@PROTOCOLS
def test_an_order_placed_a_moment_before_the_cancel_of_all_is_told_as_ended_too(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = OrderWorld(options={"protocol": protocol}).without_life()
    (standing,) = resting(desk)
    send = JoinedSocket.send
    late: list[Order] = []

    def after_another(socket: JoinedSocket, text: str) -> None:
        """Another program places an order between our list and our cancel."""
        if "cancel_all" in text or "cancelAll" in text:
            monkeypatch.setattr(JoinedSocket, "send", send)
            late.append(desk.place(desk.ticket(9)))
        send(socket, text)

    monkeypatch.setattr(JoinedSocket, "send", after_another)
    outcome = cancel(desk)
    assert outcome.problems == []
    assert {order.order_id for order in outcome.ended} == {standing.order_id, late[0].order_id}


def test_a_count_of_the_exchange_that_differs_is_said() -> None:
    desk = OrderWorld().without_life()
    resting(desk, 2)

    def miscount(text: str) -> list[str]:
        return [text.replace('"count":2', '"count":3') if '"cancel_all"' in text else text]

    desk.world.spoil = miscount
    outcome = cancel(desk)
    assert [order.status for order in outcome.ended] == ["canceled", "canceled"]
    (problem,) = outcome.problems
    assert isinstance(problem, FateUnknown)
    assert problem.message == "Kraken counts 3 canceled orders, and 2 are told as such"


def test_where_nothing_is_open_there_is_nothing_to_tell() -> None:
    assert cancel(OrderWorld().without_life()) == Outcome()


def test_a_lost_answer_to_the_cancel_of_all_is_looked_into_with_few_calls() -> None:
    desk = OrderWorld(faults=["swallow=cut@100s"]).without_life()
    resting(desk, 4)
    desk.world.pass_time(100)
    outcome = cancel(desk)
    assert [order.status for order in outcome.ended] == ["canceled"] * 4
    assert outcome.problems == []
    assert len(desk.sent('"cancel_all"')) == 1


def test_orders_that_a_cancel_of_all_leaves_open_are_named_in_one_sentence() -> None:
    desk = OrderWorld()
    orders = resting(desk, 2)
    market = desk.world.simulated.market  # type: ignore[attr-defined] # it has one
    market.cancel = lambda order_id, _now: market.books.orders[order_id]
    desk.world.requests.clear()
    outcome = cancel(desk)
    (problem,) = outcome.problems
    assert isinstance(problem, FateUnknown)
    assert all(order.order_id in problem.message for order in orders)
    assert "QueryOrders" not in desk.world.requests  # one list tells of all that are open


def test_nothing_was_sent_where_the_exchange_cannot_be_reached() -> None:
    desk = OrderWorld()
    desk.world.unreachable_for(1000)
    cancellation = Cancellation(desk.broker, (UNKNOWN,))
    with pytest.raises(Unreachable) as caught:
        cancellation.run()
    assert not isinstance(caught.value, FateUnknown)
    assert cancellation.doubt() is None


def test_who_is_broken_off_is_told_which_cancels_were_sent() -> None:
    desk = OrderWorld()
    (order,) = resting(desk)
    desk.world.spoil = without("cancel_order")
    desk.world.at(5.0, _interrupt)
    cancellation = Cancellation(desk.broker, (order.order_id,))
    with pytest.raises(KeyboardInterrupt):
        cancellation.run()
    doubt = cancellation.doubt()
    assert doubt is not None
    assert order.order_id in doubt.message


def _interrupt(_world: World) -> None:
    raise KeyboardInterrupt


def test_a_cancel_that_was_refused_for_its_token_is_made_with_another_one() -> None:
    desk = OrderWorld()
    (order,) = resting(desk)
    cache = desk.broker.tokens = Cache(desk, DEAD)
    assert [o.status for o in cancel(desk, order.order_id).ended] == ["canceled"]
    assert cache.dropped == [DEAD]
    desk.broker.tokens = Cache(desk, DEAD, DEAD)
    with pytest.raises(TokenRefused):
        cancel(desk, order.order_id)

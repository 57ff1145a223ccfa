"""Placing: once, and truthfully, whatever becomes of the answer."""

import json
import socket
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec import structs

from privstream.connection.orders.broker import ANSWER_LIMIT, LAST_LOOK, LOOK_LIMIT, LOOKS_FOR
from privstream.connection.orders.placing import Placement, came_to_nothing, departing
from privstream.connection.ports import Life
from privstream.model.account import Secret, Token
from privstream.model.errors import (
    Exit,
    FateUnknown,
    PermissionMissing,
    PrivstreamError,
    Refused,
    TokenRefused,
    Unreachable,
)
from privstream.model.events import Order
from privstream.model.exact import normal
from privstream.model.order_entry import Ticket
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow
from tests.connection.loopback import answer as http_answer
from tests.connection.loopback import read_head, serve
from tests.connection.rest_desk import Maker, ask
from tests.joined import World
from tests.lost_answers import lose_an_answer
from tests.order_world import MARKETABLE, OrderWorld
from tests.rest_play import STAMP, answer

BOTH = pytest.mark.parametrize("name", ["kraken", "zerocap"])
PROTOCOLS = pytest.mark.parametrize("protocol", ["v1", "v2"])


def refusal(desk: OrderWorld, placement: Placement) -> PrivstreamError:
    """What placing ends with."""
    with pytest.raises(PrivstreamError) as caught:
        placement.run()
    del desk
    return caught.value


def orders_sent(desk: OrderWorld) -> int:
    words = ("add_order", "addOrder")
    over_socket = sum(len(desk.sent(f'"{word}"')) for word in words)
    return over_socket + desk.world.requests.count("create_order")


def without(word: str) -> Callable[[str], Iterable[str]]:
    """The frames with this word never arrive."""
    return lambda text: [] if word in text else [text]


# --- an answer -----------------------------------------------------------------------------


@PROTOCOLS
def test_a_placed_order_is_told_whole_by_the_stream_with_the_id_that_watch_gives_it(
    protocol: str,
) -> None:
    desk = OrderWorld(options={"protocol": protocol})
    ticket = desk.ticket()
    order = desk.place(ticket)
    (booked,) = desk.booked(ticket)
    assert (order.order_id, order.status, order.source) == (booked.order_id, "open", "stream")
    assert order.client_order_id == ticket.client_order_id
    assert (normal(order.price), order.symbol, order.side) == ("1000", "BTC/USD", "buy")
    assert orders_sent(desk) == 1
    watched = World("kraken", options={"protocol": protocol}, rate=0.001)
    watched.simulated.market.place(booked, watched.clock.now())  # type: ignore[attr-defined] # it has
    listed = [event for event in watched.watch(2) if isinstance(event, Order)]
    told = next(event for event in listed if event.client_order_id == ticket.client_order_id)
    assert told.id is not None
    assert told.id.split(":")[3:] == (order.id or "").split(":")[3:]


def test_a_market_order_is_told_as_it_was_filled() -> None:
    desk = OrderWorld()
    ticket = desk.ticket(order_type="market", price=None)
    order = desk.place(ticket)
    assert (order.status, order.remaining) == ("filled", "0")


def test_at_zerocap_the_answer_is_the_order() -> None:
    desk = OrderWorld("zerocap")
    ticket = desk.ticket()
    order = desk.place(ticket)
    assert (order.status, order.source, order.price) == ("filled", "rest", "400000")
    assert order.client_order_id == ticket.client_order_id
    assert desk.world.requests == ["create_order"]


@BOTH
def test_a_refused_order_brings_the_words_of_the_exchange(name: str) -> None:
    desk = OrderWorld(name)
    placement = desk.placement(desk.ticket(quantity="1"))
    expensive = structs.replace(placement._ticket, price="99999999.0")
    placement = Placement(desk.broker, expensive)
    error = refusal(desk, placement)
    assert isinstance(error, Refused)
    assert "nsufficient" in error.message
    assert error.hint
    assert (placement.state, placement.doubt()) == ("refused", None)
    assert desk.booked(expensive) == []


def test_what_is_only_validated_is_not_placed() -> None:
    desk = OrderWorld()
    ticket = desk.ticket(validate=True)
    assert desk.placement(ticket).run() is None
    assert desk.booked(ticket) == []


def test_a_lost_answer_to_a_validation_says_that_nothing_was_placed() -> None:
    desk = OrderWorld()
    placement = desk.placement(desk.ticket(validate=True))
    desk.world.spoil = without("add_order")
    error = refusal(desk, placement)
    assert type(error) is Unreachable
    assert error.retryable
    assert "nothing was placed" in (error.hint or "")


# --- before anything was sent --------------------------------------------------------------


@BOTH
def test_an_exchange_that_cannot_be_reached_leaves_no_doubt(name: str) -> None:
    desk = OrderWorld(name)
    placement = desk.placement(desk.ticket())
    desk.world.unreachable_for(100)
    error = refusal(desk, placement)
    assert isinstance(error, Unreachable)
    assert not isinstance(error, FateUnknown)
    assert (error.retryable, error.exit) == (True, Exit.UNREACHABLE)
    assert (placement.state, placement.doubt()) == ("unsent", None)
    assert desk.booked(placement._ticket) == []


def test_a_request_that_found_no_server_was_never_sent(make: Maker) -> None:
    with serve(lambda _: None) as server:
        port = server.port
    with pytest.raises(Unreachable) as nobody:
        make(port).run(ask())
    assert nobody.value.never_sent
    with (
        serve(lambda connection: (read_head(connection), None)[1]) as server,
        pytest.raises(Unreachable) as lost,
    ):
        make(server.port).run(ask())
    assert not lost.value.never_sent


def test_a_request_over_a_kept_connection_may_have_been_sent(make: Maker) -> None:
    def answer_once(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(http_answer(200))
        read_head(connection)

    with serve(answer_once) as server:
        rest = make(server.port)
        rest.run(ask())
        with pytest.raises(Unreachable) as lost:
            rest.run(ask())
        assert server.connections == 1
    assert not lost.value.never_sent


def test_zerocap_out_of_reach_after_the_request_was_made_is_still_no_doubt() -> None:
    desk = OrderWorld("zerocap")
    placement = desk.placement(desk.ticket())

    def refuse(_: HttpRequest) -> HttpResponse:
        unsent = Unreachable("cannot reach it: connection refused")
        unsent.never_sent = True
        raise unsent

    desk.world.refuse = refuse
    assert not isinstance(refusal(desk, placement), FateUnknown)
    assert placement.state == "unsent"


# --- a lost answer -------------------------------------------------------------------------


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


# --- tokens --------------------------------------------------------------------------------


class Cache:
    """Gives out these tokens; what it fetches itself is good."""

    def __init__(self, desk: OrderWorld, *kept: Token) -> None:
        self._desk = desk
        self._kept = list(kept)
        self.dropped: list[Token] = []

    def get(self, min_ttl: float, *, other_than: Token | None = None) -> tuple[Token, Life]:
        del min_ttl, other_than
        if self._kept:
            return self._kept.pop(0), Life(None, 600.0, renewed=False)
        token = self._desk.world.run(self._desk.world.exchange.fetch_token())
        assert token is not None
        return token, Life(None, 900.0, renewed=True)

    def refused(self, token: Token) -> None:
        self.dropped.append(token)


DEAD = Token(Secret("a-token-that-is-long-dead"), 900.0)


def test_a_dead_token_of_the_cache_is_replaced_once() -> None:
    desk = OrderWorld()
    cache = desk.broker.tokens = Cache(desk, DEAD)
    ticket = desk.ticket()
    assert desk.place(ticket).status == "open"
    assert cache.dropped == [DEAD]
    assert len(desk.booked(ticket)) == 1
    desk.broker.tokens = Cache(desk, DEAD, DEAD)
    with pytest.raises(TokenRefused):
        desk.place(desk.ticket(2))


def test_an_order_that_was_refused_for_its_token_is_placed_with_another_one() -> None:
    desk = OrderWorld()
    good = desk.world.run(desk.world.exchange.fetch_token())
    assert good is not None
    cache = desk.broker.tokens = Cache(desk, good)
    ticket = desk.ticket()
    placement = desk.placement(ticket)
    spoilt: list[str] = []

    def refuse(text: str) -> Iterable[str]:
        if '"add_order"' not in text or spoilt:
            return [text]
        spoilt.append(text)
        said = {"error": "ESession:Invalid session", "success": False}
        return [json.dumps({**json.loads(text), **said, "result": None})]

    desk.world.spoil = refuse
    # The simulated exchange took the first one, so the second clashes with it.
    error = refusal(desk, placement)
    assert "not unique" in error.message
    assert cache.dropped == [good]
    assert orders_sent(desk) == 2


def test_a_key_without_the_right_to_trade_is_told_which_right_it_lacks() -> None:
    desk = OrderWorld(rights=frozenset({"websocket", "open_orders", "closed_orders"}))
    good = desk.world.run(desk.world.exchange.fetch_token())
    assert good is not None
    cache = desk.broker.tokens = Cache(desk, good)
    error = refusal(desk, desk.placement(desk.ticket()))
    assert isinstance(error, PermissionMissing)
    assert "Create & modify orders" in (error.hint or "")
    assert cache.dropped == [good]  # a token keeps the rights that the key had
    assert orders_sent(desk) == 1


# --- words ---------------------------------------------------------------------------------


def test_only_an_order_that_ended_without_a_fill_came_to_nothing() -> None:
    order = OrderWorld("zerocap").place(OrderWorld("zerocap").ticket())
    told = structs.replace

    def nothing(status: str, filled: str | None) -> bool:
        return came_to_nothing(told(order, status=status, filled=filled))

    assert nothing("rejected", None)
    assert nothing("canceled", "0")
    assert nothing("expired", None)
    assert not nothing("canceled", "0.1")
    assert not nothing("filled", "1")
    assert not nothing("open", "0")


def test_a_request_departs_when_it_is_built_and_not_before() -> None:
    departed: list[bool] = []

    def flow() -> RestFlow[str]:
        response = yield Call(lambda _: HttpRequest("GET", "/x"), "GetThing")
        return response.body.decode()

    marked = departing(flow(), lambda: departed.append(True))
    call = next(marked)
    assert not departed
    assert call.build(STAMP).path == "/x"
    assert departed == [True]
    with pytest.raises(StopIteration) as end:
        marked.send(answer('"done"'))
    assert end.value.value == '"done"'


def test_a_rate_limit_is_a_refusal_that_another_try_may_mend() -> None:
    desk = OrderWorld("zerocap")
    placement = desk.placement(desk.ticket())
    desk.world.refuse = lambda _: answer("slow down", 429)
    error = refusal(desk, placement)
    assert isinstance(error, Refused)
    assert (error.retryable, error.exit) == (True, Exit.REFUSED)
    assert placement.state == "refused"


def test_looking_finds_an_order_by_its_client_id_too() -> None:
    for name in ("kraken", "zerocap"):
        desk = OrderWorld(name)
        ticket: Ticket = desk.ticket(price=MARKETABLE, quantity="0.001")
        placed = desk.place(ticket)
        found: Any = desk.broker.get(str(ticket.client_order_id))
        assert [order.order_id for order in found] == [placed.order_id]
        with pytest.raises(Refused):
            desk.broker.get("nobody-knows-it")


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@pytest.mark.parametrize("ahead", [3600.0, -40.0])
def test_an_order_expires_by_the_exchanges_clock_and_a_wrong_one_is_said(
    protocol: str, ahead: float
) -> None:
    desk = OrderWorld(options={"protocol": protocol}, ahead=ahead)
    desk.place(desk.ticket(time_in_force="gtd", options={"expire": "+60"}))
    [booked] = desk.booked(desk.ticket())
    lives = ((booked.expires_ns or 0) - booked.created_ns) / 1e9
    assert 59 <= lives <= 61
    (said,) = [text for text in desk.said if "clock" in text]
    assert "ahead of" in said if ahead > 0 else "behind" in said


def test_clocks_that_agree_are_not_worth_a_word() -> None:
    desk = OrderWorld(ahead=2.0)
    desk.place(desk.ticket(time_in_force="gtd", options={"expire": "+60"}))
    assert not [text for text in desk.said if "clock" in text]

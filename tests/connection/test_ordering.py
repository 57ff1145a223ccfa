"""Placing: once, and truthfully, whatever becomes of the answer."""

import json
import socket
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import structs

from privstream.connection.orders.placing import Placement, came_to_nothing, departing
from privstream.connection.ports import Life
from privstream.model.account import Secret, Token
from privstream.model.errors import (
    Exit,
    FateUnknown,
    PermissionMissing,
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
from tests.connection.order_tests import BOTH, PROTOCOLS, orders_sent, refusal, without
from tests.connection.rest_desk import Maker, ask
from tests.joined import World
from tests.order_world import MARKETABLE, OrderWorld
from tests.rest_play import STAMP, answer

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

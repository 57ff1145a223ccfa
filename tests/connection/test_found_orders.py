"""After a lost answer: found is only the order that was sent, and no other one of its name."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from privstream.connection.orders.placing import Placement
from privstream.model.errors import Exit, FateUnknown, Refused
from privstream.model.order_entry import Ticket
from privstream.model.rest import HttpRequest, HttpResponse
from tests.connection.order_tests import BOTH, orders_sent, refusal, without
from tests.joined_socket import JoinedSocket
from tests.order_world import OrderWorld
from tests.rest_play import answer

UUID = "f7fc4e4f-c099-4b18-a231-f032adc8ae87"


@BOTH
def test_an_earlier_order_of_a_client_id_is_never_taken_for_the_one_that_was_sent(
    name: str,
) -> None:
    # Asked to buy 0.07, and what is found is the 0.01 of a moment ago.
    desk = OrderWorld(name)
    first = desk.place(desk.ticket())
    desk.world.spoil = without("add_order")
    desk.world.refuse = lambda request: answer("x", 504) if "create_order" in request.path else None
    error = refusal(desk, desk.placement(desk.ticket(quantity="0.07"), has_fresh_id=False))
    assert isinstance(error, FateUnknown)
    assert error.exit == Exit.UNREACHABLE
    assert orders_sent(desk) == 2
    assert first.order_id not in desk.placement(desk.ticket())._found


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"quantity": "0.02"}, "quantity 0.02, not 0.01"),
        ({"price": "999.0"}, "price 999, not 1000"),
        ({"side": "sell", "price": "400000.0"}, "side sell, not buy"),
        ({"symbol": "BTC/EUR"}, "symbol BTC/EUR, not BTC/USD"),
        ({"time_in_force": "gtd", "options": {"expire": "+86400"}}, "time in force gtd, not none"),
        ({"options": {"leverage": "5"}}, "leverage 5, not none"),
        ({"options": {"start": "+3600"}}, "start "),
        (
            {"options": {"close_type": "limit", "close_price": "2000.0"}},
            "with a closing order, not none",
        ),
    ],
)
def test_an_order_of_the_same_reference_with_other_terms_is_named_as_what_was_found_instead(
    changes: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = OrderWorld()
    rival = Placement(desk.broker, desk.broker.prepared(with_reference(desk, **changes)))
    placement = desk.placement(with_reference(desk), has_fresh_id=False)
    send = JoinedSocket.send

    def instead(socket: JoinedSocket, text: str) -> None:
        """Ours never arrives, and another program places its own just then."""
        if "add_order" not in text:
            return send(socket, text)
        monkeypatch.setattr(JoinedSocket, "send", send)
        rival.run()
        return None

    monkeypatch.setattr(JoinedSocket, "send", instead)
    error = refusal(desk, placement)
    assert isinstance(error, FateUnknown)
    assert why in error.message
    assert "found instead, and not what was sent" in error.message
    assert rival.order_id is not None
    assert rival.order_id in error.message


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"symbol": "ETH/AUD"}, "symbol ETH/AUD, not BTC/AUD"),
        ({"side": "sell"}, "side sell, not buy"),
        ({"client_order_id": "other"}, "client id other, not"),
    ],
)
def test_an_answer_that_is_of_another_order_is_not_ours(changes: dict[str, str], why: str) -> None:
    desk = OrderWorld("zerocap")
    ours = {"id": UUID, "status": "open", "symbol": "BTC/AUD", "side": "buy", "filled": 0}
    desk.world.refuse = answered({**ours, **changes})
    assert isinstance(refusal(desk, desk.placement(desk.ticket())), FateUnknown)
    assert any(why in said for said in desk.said)


@pytest.mark.parametrize(
    "body", [{"status": "error", "message": "no funds"}, {"error": {"message": "no funds"}}]
)
def test_an_answer_that_says_that_no_order_was_made_is_a_refusal(body: dict[str, Any]) -> None:
    desk = OrderWorld("zerocap")
    desk.world.refuse = answered(body)
    error = refusal(desk, desk.placement(desk.ticket()))
    assert type(error) is Refused
    assert "no funds" in error.message


def answered(body: Any) -> Callable[[HttpRequest], HttpResponse | None]:
    """Zerocap's answer to an order, which it has not taken."""
    return lambda request: answer(body) if "create_order" in request.path else None


def with_reference(desk: OrderWorld, **changes: Any) -> Ticket:
    options = {"userref": "77", **changes.pop("options", {})}
    return desk.ticket(client_order_id=None, options=options, **changes)


def test_a_refusal_that_was_read_stays_read_whatever_comes_behind_it() -> None:
    desk = OrderWorld()
    expensive = structs.replace(desk.ticket(), price="99999999.0", quantity="1")
    placement = Placement(desk.broker, expensive)

    def then_close(text: str) -> list[str]:
        if "add_order" in text:
            desk.world.close(1012, "restart")
        return [text]

    desk.world.spoil = then_close
    error = refusal(desk, placement)
    assert isinstance(error, Refused)
    assert "nsufficient" in error.message
    assert placement.state == "refused"


@pytest.mark.parametrize(
    ("name", "ahead"),  # Zerocap refuses a signature that is further off than this
    [
        ("kraken", -40.0),
        ("kraken", 15.0),
        ("kraken", 3600.0),
        ("zerocap", -15.0),
        ("zerocap", 15.0),
    ],
)
def test_a_wrong_clock_does_not_hide_the_order_whose_answer_was_lost(
    name: str, ahead: float
) -> None:
    desk = OrderWorld(name, faults=["swallow=cut@0s"], ahead=ahead)
    ticket = desk.ticket()
    order = desk.placement(ticket, has_fresh_id=False).run()
    assert order is not None
    assert order.order_id == desk.booked(ticket)[0].order_id

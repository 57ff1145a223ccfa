"""Zerocap's own SDK must be content with the simulated Zerocap, and see the truth."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from privstream.simulator.server import Simulation
from privstream.simulator.zerocap import SimulatedZerocap

pytestmark = pytest.mark.peer
LIVELY = 40.0
REASON = "needs the extra `peers`"


class Place:
    """A simulated Zerocap on loopback, and its SDK pointed at it."""

    def __init__(self, package: Any, **options: Any) -> None:
        self.zerocap = SimulatedZerocap(seed=5, rate=LIVELY, limits=False, **options)
        self.simulation = Simulation([], exchanges={"zerocap": self.zerocap})
        self.package = package

    def clients(self, *, secret: str | None = None) -> tuple[Any, Any]:
        """For the socket, and for REST."""
        account = self.simulation.account("zerocap", {})
        key, known = account.api_key.reveal(), account.api_secret.reveal()
        socket = self.package.ZerocapWebsocketClient(key, secret or known)
        rest = self.package.ZerocapRestClient(key, secret or known)
        socket.base_url = account.endpoints.ws_url
        rest.api_base_url = account.endpoints.rest_url + "/v2"
        rest.base_url = rest.api_base_url + "/orders"
        return socket, rest


@contextmanager
def served(**options: Any) -> Iterator[Place]:
    """What the SDK warns of is its own business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Never its module `test`: what looks like somebody's credentials is in there.
        package = pytest.importorskip("zerocap_api", reason=REASON)
        place = Place(package, **options)
        with place.simulation:
            yield place


def stream(socket: Any, *requests: Any, until: Callable[[list[Any]], bool]) -> list[Any]:
    """Everything the SDK hands on until it is enough."""
    socket.create_connection()
    messages = [socket.recv()]
    for request in requests:
        socket.send(request)
    while not until(messages):
        messages.append(socket.recv())
    socket.close()
    return messages


def elements(messages: list[Any], kind: str) -> list[Any]:
    return [message["data"] for message in messages if message["type"] == kind]


@pytest.mark.parametrize("dialect", ["new", "old"])
def test_the_sdk_streams_orders_and_trades(dialect: str) -> None:
    with served(dialect=dialect) as place:
        socket, _ = place.clients()
        requests = [{"type": "order"}, {"type": "trade"}]
        told = stream(socket, *requests, until=lambda m: len(elements(m, "trade")) > 40)
    texts = [message["message"] for message in told if message["type"] == "message"]
    assert texts[:3] == [
        "Successfully connected.",
        "order Subscription successful.",
        "trade Subscription successful.",
    ]
    books = place.zerocap.market.books
    for trade in elements(told, "trade"):
        true = books.trades[trade["id"]]
        assert trade["order"] == true.order.order_id
        assert Decimal(str(trade["price"])) == true.price
        assert Decimal(str(trade["amount"])) == true.quantity
    orders = elements(told, "order")
    assert {order["status"] for order in orders} >= {"open", "closed", "canceled"}
    for order in orders:
        assert Decimal(str(order["amount"])) == books.orders[order["id"]].quantity


@pytest.mark.parametrize(
    ("dialect", "request_"),
    [
        ("new", {"type": "price", "symbols": ["USDT/AUD", "PEPE/USDT"]}),
        ("old", {"type": "price", "symbol": "USDT/AUD"}),
    ],
)
def test_the_sdk_streams_prices(dialect: str, request_: dict[str, Any]) -> None:
    with served(dialect=dialect) as place:
        socket, _ = place.clients()
        told = stream(socket, request_, until=lambda m: bool(elements(m, "price")))
    assert told[1] == {"type": "message", "message": "price Subscription successful."}
    price = elements(told, "price")[0]
    assert price["symbol"] == "USDT/AUD"
    assert price["bids"][0][0] < price["asks"][0][0]


def test_the_pings_of_the_sdk_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(dialect="old") as place:
        socket, _ = place.clients()
        monkeypatch.setattr(socket, "HEARTBEAT_INTERVAL", 0.05)
        told = stream(socket, until=lambda m: len(m) > 3)
    assert [message["message"] for message in told[1:]] == ["pong"] * 3


def test_a_wrong_secret_gets_the_sdk_an_error_frame_and_a_close() -> None:
    with served() as place:
        socket, rest = place.clients(secret="somebody's")
        socket.create_connection()
        assert socket.recv() == {
            "type": "error",
            "error_code": 401,
            "error_message": "Unauthorized",
        }
        with pytest.raises(Exception, match="1000") as ended:
            socket.recv()
        assert type(ended.value).__name__ == "ConnectionClosedOK"
        socket.close()
        with pytest.raises(place.package.ZerocapAPIError) as refused:
            rest.get_balances()
    assert (refused.value.status_code, refused.value.body) == (401, "encryption check is fail")


def test_the_sdk_is_refused_for_an_old_signature() -> None:
    with served() as place:
        _, rest = place.clients()
        with pytest.raises(place.package.ZerocapAPIError) as refused:
            rest.get_balances(timestamp=int(time.time()) - 60)
    assert refused.value.status_code == 408


def test_the_sdk_pages_through_all_orders_and_looks_one_up() -> None:
    with served() as place:
        _, rest = place.clients()
        end = int(time.time() * 1000) - 10_000
        span = {"end_datetime": end, "start_datetime": end - 60_000, "limit": 100}
        first = rest.fetch_orders(**span)
        pages = range(2, first["total"] // 100 + 2)
        rows = first["order_list"] + [
            row for page in pages for row in rest.fetch_orders(page=page, **span)["order_list"]
        ]
        assert len({row["id"] for row in rows}) == first["total"] == len(rows) > 300
        assert rest.fetch_order(rows[0]["id"]) in rows
        with pytest.raises(place.package.ZerocapAPIError) as unknown:
            rest.fetch_order("nothing")
    assert unknown.value.status_code == 422
    books = place.zerocap.market.books
    for row in rows:
        assert [fill["id"] for fill in row["trades"]] == list(books.orders[row["id"]].trades)


def test_the_sdk_reads_everything_else_that_only_needs_reading() -> None:
    with served() as place:
        _, rest = place.clients()
        assert abs(int(rest.get_time()["server_time"]) - time.time()) < 5
        assert rest.get_balances()["prime"]["AUD"]["total"] > 0
        assert {"USDT/AUD"} <= {one["name"] for one in rest.get_instruments()["instruments"]}
        assert rest.get_risk()["max_risk_limit"] == "100000"
        transfers = rest.get_transfers(asset_id="AUD,USDT", type="external_deposit")
    assert transfers["status"] == "successful"
    both = transfers["fiat_transactions"] + transfers["crypto_transactions"]
    assert {one["asset_id"] for one in both} <= {"AUD", "USDT"}


def test_the_sdk_places_orders_and_finds_them_again() -> None:
    with served() as place:
        _, rest = place.clients()
        order = ("USDT/AUD", "buy", "limit", "120.5")
        filled = rest.create_order(*order, "1.55", client_order_id="by-sdk")
        killed = rest.create_order(*order, "1.2")
        assert rest.fetch_order(filled["id"]) == filled
        listed = rest.fetch_orders(ids=f"{filled['id']},{killed['id']}")["order_list"]
        assert sorted(row["id"] for row in listed) == sorted((filled["id"], killed["id"]))
        with pytest.raises(place.package.ZerocapAPIError) as refused:
            rest.create_order("USDT/AUD", "buy", "limit", "120.555", "1.55")
    assert (filled["status"], filled["filled"]) == ("closed", 120.5)
    assert (killed["status"], killed["filled"]) == ("closed", 0)
    assert refused.value.status_code == 422
    orders = place.zerocap.market.books.orders
    assert orders[filled["id"]].client_id == "by-sdk"
    assert orders[filled["id"]].status == "filled"
    assert orders[killed["id"]].status == "canceled"

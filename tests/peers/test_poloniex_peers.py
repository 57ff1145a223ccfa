"""ccxt must be content with the simulated Poloniex, and see the truth as far as it can read it."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from privstream.simulator.market import Books, Order
from privstream.simulator.poloniex.exchange import API_KEY, API_SECRET, SimulatedPoloniex
from privstream.simulator.server import Simulation

pytestmark = pytest.mark.peer
LIVELY = 80.0
PATIENCE = 20.0
Watch = Callable[[Any], Awaitable[None]]


@contextmanager
def peer() -> Iterator[Any]:
    """The peer's package; what it warns of is its own business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("ccxt.pro", reason="needs the extra `peers`")


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["poloniex"], seed=5, rate=LIVELY) as served:
        yield served


def books_of(simulation: Simulation) -> Books:
    """The truth; complete and still once the simulation has stopped."""
    poloniex = simulation.exchanges["poloniex"]
    assert isinstance(poloniex, SimulatedPoloniex)
    return poloniex.market.books


def client_of(pro: Any, simulation: Simulation, secret: str) -> Any:
    client = pro.poloniex({"apiKey": API_KEY, "secret": secret, "enableRateLimit": False})
    endpoints = simulation.account("poloniex", {}).endpoints
    client.urls["api"] |= {
        "spot": endpoints.rest_url,
        "ws": {"public": endpoints.ws_url, "private": endpoints.ws_url},
    }

    async def no_futures(_: Any) -> list[Any]:  # a different service, on a host of its own
        return []

    client.fetch_swap_markets = no_futures
    return client


def watched(simulation: Simulation, watch: Watch, secret: str = API_SECRET) -> None:
    """Run a story with a ccxt client, then stop the simulation."""
    with peer() as pro:

        async def story() -> None:
            client = client_of(pro, simulation, secret)
            try:
                await asyncio.wait_for(watch(client), PATIENCE)
            finally:
                await client.close()

        asyncio.run(story())
    simulation.stop()


def the_same(told: Any, truth: Order) -> bool:
    """Whether ccxt and the books speak of one order."""
    spelled = told["symbol"], told["side"].lower()
    return spelled == (truth.symbol.name, truth.side) and told["id"] == truth.order_id


def test_ccxt_watches_orders(simulation: Simulation) -> None:
    seen: dict[str, Any] = {}
    infos: list[Any] = []

    async def watch(client: Any) -> None:
        while len(seen) < 40:
            for order in await client.watch_orders():
                seen[order["id"]] = dict(order)
                infos.append(order["info"])

    watched(simulation, watch)
    orders = books_of(simulation).orders
    assert seen.keys() <= orders.keys()
    assert all(the_same(order, orders[name]) for name, order in seen.items())
    assert {order["status"] for order in seen.values()} >= {"open", "closed"}
    # ccxt takes `filledAmount`, which is money, for the quantity filled, so its amounts are
    # read from the elements it was given.
    for info in infos:
        truth = orders[info["orderId"]]
        if info["quantity"] != "0":
            assert Decimal(info["quantity"]) == truth.quantity
        assert Decimal(info["filledQuantity"]) <= truth.filled


def test_ccxt_watches_trades(simulation: Simulation) -> None:
    seen: dict[str, Any] = {}

    async def watch(client: Any) -> None:
        while len(seen) < 40:
            for trade in await client.watch_my_trades():
                seen[trade["id"]] = dict(trade)

    watched(simulation, watch)
    trades = books_of(simulation).trades
    for name, trade in seen.items():
        truth = trades[name]
        assert trade["symbol"] == truth.order.symbol.name
        assert trade["order"] == truth.order.order_id
        assert trade["side"] == truth.order.side
        assert trade["takerOrMaker"] == ("maker" if truth.maker else "taker")
        assert Decimal(str(trade["price"])) == truth.price
        assert trade["fee"]["currency"] == truth.fee_currency
        assert Decimal(trade["info"]["tradeFee"]) == truth.fee
        # Its `amount` is what the order has filled so far, so we look at the element.
        assert Decimal(trade["info"]["tradeQty"]) == truth.quantity
        assert Decimal(str(trade["amount"])) == Decimal(trade["info"]["filledQuantity"])


def test_ccxt_watches_balances(simulation: Simulation) -> None:
    told: list[Any] = []

    async def watch(client: Any) -> None:
        for _ in range(40):
            balance = await client.watch_balance()
            told.append({"info": balance["info"], "total": dict(balance["total"])})

    watched(simulation, watch)
    books = books_of(simulation)
    assert len(told[0]["total"]) == 8
    afterwards = {(e.currency, e.balance) for e in books.entries.values()}
    known = seen = 0
    for balance in told[1:]:
        (item,) = balance["info"]
        total = Decimal(item["available"]) + Decimal(item["hold"])
        assert balance["total"][item["currency"]] == pytest.approx(float(total))
        known += (item["currency"], total) in afterwards
        seen += 1
    assert known > seen / 3  # the others are told between a fill and its fee


def test_ccxt_fetches_what_it_needs(simulation: Simulation) -> None:
    got: dict[str, Any] = {}

    async def fetch(client: Any) -> None:
        got["time"] = await client.fetch_time()
        got["open"] = await client.fetch_open_orders()
        got["one symbol"] = await client.fetch_open_orders("TRX/USDT")
        got["trades"] = await client.fetch_my_trades(limit=100)
        since = got["trades"][0]["timestamp"]
        got["since"] = await client.fetch_my_trades(since=since, limit=100)
        got["balance"] = await client.fetch_balance()
        latest = got["trades"][-1]["order"]
        got["order"] = await client.fetch_order(latest)
        got["order trades"] = await client.fetch_order_trades(latest)

    watched(simulation, fetch)
    books = books_of(simulation)
    assert got["open"]
    for order in got["open"] + got["one symbol"]:
        assert the_same(order, books.orders[order["id"]])
        assert Decimal(str(order["amount"])) == books.orders[order["id"]].quantity
    assert len(got["trades"]) == len(got["since"]) == 100
    for trade in got["trades"] + got["order trades"]:
        truth = books.trades[trade["id"]]
        assert Decimal(str(trade["price"])) == truth.price
        assert Decimal(str(trade["amount"])) == truth.quantity
        assert trade["fee"]["currency"] == truth.fee_currency
    assert the_same(got["order"], books.orders[got["order"]["id"]])
    assert {"BTC", "ELON", "1INCH", "USDC"} <= got["balance"]["total"].keys()


def test_ccxt_is_told_that_its_secret_is_wrong(simulation: Simulation) -> None:
    async def watch(client: Any) -> None:
        from ccxt import AuthenticationError  # noqa: PLC0415 - only where the peer is

        with pytest.raises(AuthenticationError, match="Authentication failed!"):
            await client.watch_orders()

    watched(simulation, watch, "another")

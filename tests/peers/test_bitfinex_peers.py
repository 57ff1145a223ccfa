"""Clients that others wrote must be content with the simulated Bitfinex, and see the truth."""

import asyncio
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from privstream.model.account import Account
from privstream.simulator.bitfinex import SimulatedBitfinex
from privstream.simulator.bitfinex.amendments import as_changed
from privstream.simulator.market import Order, Trade
from privstream.simulator.server import Simulation

pytestmark = pytest.mark.peer
LIVELY = 80.0
PATIENCE = 20.0
MARKETS = {"BTC/USD", "BTC/USDT", "ETH/BTC", "AVAX/USD", "DOGE/USD", "DASH/USDT"}
MARGIN_MARKETS = {"BTC/USDT:USDT", "XRP/USD"}


@contextmanager
def peer(name: str) -> Iterator[Any]:
    """The peer's package; what it warns of is its own business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip(name, reason="needs the extra `peers`")


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["bitfinex"], seed=5, rate=LIVELY, limits=False) as served:
        yield served


def exchange_of(simulation: Simulation) -> SimulatedBitfinex:
    """The truth; complete and still once the simulation has stopped."""
    exchange = simulation.exchanges["bitfinex"]
    assert isinstance(exchange, SimulatedBitfinex)
    return exchange


def orders_of(simulation: Simulation) -> Mapping[str, Order]:
    exchange = exchange_of(simulation)
    return exchange.market.books.orders | exchange.margin.orders


def trades_of(simulation: Simulation) -> Mapping[str, Trade]:
    exchange = exchange_of(simulation)
    return exchange.market.books.trades | exchange.margin.trades


def quantities(order: Order) -> set[Decimal]:
    """As ordered, and as its owner changed it."""
    return {order.quantity, as_changed(order).quantity}


def account_of(simulation: Simulation) -> Account:
    return simulation.account("bitfinex", {})


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def with_patience() -> None:
        await asyncio.wait_for(story(), PATIENCE)

    asyncio.run(with_patience())


# --- bitfinex-api-py -------------------------------------------------------------------

SNAPSHOTS = {"order_snapshot", "position_snapshot", "wallet_snapshot", "funding_offer_snapshot"}
UPDATES = {
    "order_new",
    "order_update",
    "order_cancel",
    "trade_execution",
    "trade_execution_update",
    "wallet_update",
    "balance_update",
    "base_margin_info",
    "position_new",
    "position_update",
    "position_close",
    "notification",
    "on-req-notification",
    "oc-req-notification",
}


def official_client(package: Any, account: Account, filters: list[str] | None = None) -> Any:
    return package.Client(
        rest_host=account.endpoints.rest_url + "/v2",
        wss_host=account.endpoints.ws_url,
        api_key=account.api_key.reveal(),
        api_secret=account.api_secret.reveal(),
        filters=filters,
    )


def official_stream(
    package: Any, account: Account, enough: Callable[[Mapping[str, list[Any]]], bool]
) -> Mapping[str, list[Any]]:
    """What the official client hands on, by the names of its events."""
    told: dict[str, list[Any]] = defaultdict(list)

    async def stream() -> None:
        client = official_client(package, account).wss

        def keep(event: str) -> None:
            async def heard(*values: Any) -> None:
                told[event].extend(values)
                if enough(told):
                    await client.close()

            client.on(event, heard)

        for event in {*SNAPSHOTS, *UPDATES, "authenticated"}:
            keep(event)
        await client.start()

    run(stream)
    return told


def test_the_official_client_streams_every_kind_of_event(simulation: Simulation) -> None:
    wanted = SNAPSHOTS | UPDATES | {"authenticated"}
    with peer("bfxapi") as package:
        told = official_stream(package, account_of(simulation), lambda seen: seen.keys() >= wanted)
    simulation.stop()
    assert told.keys() == wanted
    assert told["authenticated"][0]["caps"]["orders"] == {"read": 1, "write": 0}
    orders, trades = orders_of(simulation), trades_of(simulation)
    for order in told["order_new"] + told["order_cancel"]:
        truth = orders[str(order.id)]
        assert abs(Decimal(str(order.amount_orig))) in quantities(truth)
        assert (order.amount_orig > 0) == (truth.side == "buy")
    for told_trade in told["trade_execution_update"]:
        trade = trades[str(told_trade.id)]
        assert str(told_trade.order_id) == trade.order.order_id
        assert told_trade.fee == pytest.approx(-float(trade.fee))
        assert told_trade.fee_currency == trade.fee_currency
    assert {trade.fee for trade in told["trade_execution"]} == {None}
    closed = exchange_of(simulation).margin.closed
    assert {position.position_id for position in told["position_close"]} <= closed.keys()
    assert {position.amount for position in told["position_close"]} == {0}
    assert {wallet.wallet_type for wallet in told["wallet_snapshot"][0]} == {
        "exchange",
        "margin",
        "funding",
    }


def test_the_official_client_reads_the_history_over_rest(simulation: Simulation) -> None:
    with peer("bfxapi") as package:
        auth = official_client(package, account_of(simulation)).rest.auth
        open_orders = auth.get_orders()
        closed = auth.get_orders_history(limit=100)
        again = auth.get_orders_history(ids=[order.id for order in closed[:3]])
        trades = auth.get_trades_history(limit=200, sort=1)
        of_order = auth.get_order_trades(trades[0].symbol, trades[0].order_id)
        wallets = auth.get_wallets()
        positions = auth.get_positions_history(limit=5)
        ledger = auth.get_ledgers("UST", limit=50)
        auth.get_positions()
        auth.get_funding_offers()
        auth.get_base_margin_info()
    simulation.stop()
    orders, fills = orders_of(simulation), trades_of(simulation)
    assert {str(order.id) for order in open_orders} <= orders.keys()
    assert {str(order.id) for order in closed} <= orders.keys()
    assert [order.id for order in again] == [order.id for order in closed[:3]]
    assert len(trades) == 200
    for trade in trades:
        assert Decimal(str(abs(trade.exec_amount))) == fills[str(trade.id)].quantity
        assert Decimal(str(trade.exec_price)) == fills[str(trade.id)].price
    assert trades[0].id in {trade.id for trade in of_order}
    assert len(wallets) == 10
    assert {position.status for position in positions} == {"CLOSED"}
    assert {line.currency for line in ledger} == {"UST"}


def test_the_official_client_is_told_that_its_secret_is_wrong(simulation: Simulation) -> None:
    account = account_of(simulation)
    with peer("bfxapi") as package:
        client = package.Client(
            rest_host=account.endpoints.rest_url + "/v2",
            wss_host=account.endpoints.ws_url,
            api_key=account.api_key.reveal(),
            api_secret="wrong",
        )
        with pytest.raises(package.exceptions.InvalidCredentialError):
            client.rest.auth.get_wallets()
        with pytest.raises(package.exceptions.InvalidCredentialError):
            run(client.wss.start)


# --- ccxt ------------------------------------------------------------------------------


def ccxt_client(pro: Any, account: Account) -> Any:
    client = pro.bitfinex(
        {
            "apiKey": account.api_key.reveal(),
            "secret": account.api_secret.reveal(),
            "enableRateLimit": False,
        }
    )
    rest = account.endpoints.rest_url
    client.urls["api"] |= {
        "public": rest,
        "private": rest,
        "ws": {"public": account.endpoints.ws_url, "private": account.endpoints.ws_url},
    }
    return client


def watched(simulation: Simulation, watch: Callable[[Any], Awaitable[None]]) -> None:
    """Run a story with a ccxt client, then stop the simulation."""
    with peer("ccxt.pro") as pro:

        async def story() -> None:
            client = ccxt_client(pro, account_of(simulation))
            try:
                await watch(client)
            finally:
                await client.close()

        run(story)
    simulation.stop()


def test_ccxt_watches_trades(simulation: Simulation) -> None:
    seen: dict[str, Any] = {}

    async def watch(client: Any) -> None:
        while len(seen) < 60:
            for trade in await client.watch_my_trades():
                seen[trade["id"]] = trade

    watched(simulation, watch)
    for name, trade in seen.items():
        truth = trades_of(simulation)[name]
        assert Decimal(str(trade["amount"])) == truth.quantity
        assert Decimal(str(trade["price"])) == truth.price
        assert trade["order"] == truth.order.order_id
        # ccxt takes the sign of a fee as it comes, although Bitfinex writes what was paid below 0.
        assert trade["fee"]["cost"] == pytest.approx(-float(truth.fee))
        assert trade["takerOrMaker"] == ("maker" if truth.maker else "taker")
        assert trade["symbol"] in MARKETS | MARGIN_MARKETS


def test_ccxt_watches_orders(simulation: Simulation) -> None:
    seen: dict[str, Any] = {}

    async def watch(client: Any) -> None:
        while len(seen) < 40 or {o["status"] for o in seen.values()} < {"open", "closed"}:
            for order in await client.watch_orders():
                seen[order["id"]] = order

    watched(simulation, watch)
    orders = orders_of(simulation)
    assert seen.keys() <= orders.keys()
    assert {order["status"] for order in seen.values()} >= {"open", "closed", "canceled"}
    for name, order in seen.items():
        assert Decimal(str(order["amount"])) in quantities(orders[name])
        assert order["side"] == orders[name].side
        assert order["symbol"] in MARKETS | MARGIN_MARKETS


def test_ccxt_watches_balances(simulation: Simulation) -> None:
    seen: list[dict[str, Any]] = []

    async def watch(client: Any) -> None:
        for _ in range(8):
            balance = await client.watch_balance()
            seen.append(dict(balance["total"]))

    watched(simulation, watch)
    entries = exchange_of(simulation).market.books.entries.values()
    told = {
        (entry.currency, float(amount))
        for entry in entries
        for amount in (entry.balance, entry.balance + entry.fee)
    }
    codes = {"UST": "USDT", "DSH": "DASH"}
    named = {(codes.get(currency, currency), amount) for currency, amount in told}
    assert seen[0].keys() == {"USD", "USDT", "BTC", "ETH", "AVAX", "DOGE", "DASH"}
    changes = 0
    for before, after in pairwise(seen):
        for currency, total in after.items():
            if total != before[currency]:
                assert (currency, total) in named
                changes += 1
    assert changes


def test_ccxt_fetches_orders_trades_balances_and_positions(simulation: Simulation) -> None:
    fetched: dict[str, Any] = {}

    async def fetch(client: Any) -> None:
        fetched["markets"] = await client.load_markets()
        fetched["open"] = await client.fetch_open_orders()
        fetched["closed"] = await client.fetch_closed_orders("AVAX/USD", limit=50)
        fetched["trades"] = await client.fetch_my_trades(limit=100)
        fetched["of order"] = await client.fetch_order_trades(
            fetched["trades"][-1]["order"], fetched["trades"][-1]["symbol"]
        )
        fetched["balance"] = await client.fetch_balance()
        fetched["ledger"] = await client.fetch_ledger("BTC", limit=20)
        fetched["positions"] = await client.fetch_positions()
        fetched["status"] = await client.fetch_status()

    watched(simulation, fetch)
    orders, trades = orders_of(simulation), trades_of(simulation)
    assert fetched["markets"].keys() == MARKETS | MARGIN_MARKETS
    assert {order["id"] for order in fetched["open"]} <= orders.keys()
    assert {order["symbol"] for order in fetched["closed"]} == {"AVAX/USD"}
    assert len(fetched["trades"]) == 100
    for trade in fetched["trades"]:
        truth = trades[trade["id"]]
        assert Decimal(str(trade["amount"])) == truth.quantity
        assert trade["fee"]["cost"] == pytest.approx(float(truth.fee))
    assert fetched["trades"][-1]["id"] in {trade["id"] for trade in fetched["of order"]}
    assert {"BTC", "USDT", "DOGE"} <= fetched["balance"]["total"].keys()
    assert len(fetched["ledger"]) == 20
    assert fetched["status"]["status"] == "ok"

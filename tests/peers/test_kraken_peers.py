"""Clients that others wrote must be content with the simulated Kraken, and see the truth."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from privstream.model.account import Account
from privstream.simulator.kraken import SimulatedKraken
from privstream.simulator.market import Books
from privstream.simulator.server import Simulation

pytestmark = pytest.mark.peer
LIVELY = 80.0
PATIENCE = 20.0


@contextmanager
def peer(name: str) -> Iterator[Any]:
    """The peer's package; what it warns of is its own business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip(name, reason="needs the extra `peers`")


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken"], seed=5, rate=LIVELY, limits=False) as served:
        yield served


def books_of(simulation: Simulation) -> Books:
    """The truth; complete and still once the simulation has stopped."""
    kraken = simulation.exchanges["kraken"]
    assert isinstance(kraken, SimulatedKraken)
    return kraken.market.books


def account_of(simulation: Simulation) -> Account:
    return simulation.account("kraken", {})


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def with_patience() -> None:
        await asyncio.wait_for(story(), PATIENCE)

    asyncio.run(with_patience())


# --- python-kraken-sdk -----------------------------------------------------------------


def test_the_sdk_streams_orders_trades_and_balances(simulation: Simulation) -> None:
    with peer("kraken.spot") as spot:
        frames = sdk_frames(spot, account_of(simulation))
    simulation.stop()
    books = books_of(simulation)
    executions = [e for f in frames if f.get("channel") == "executions" for e in f["data"]]
    updates = [e for f in frames if f.get("type") == "update" for e in f["data"]]
    fills = [e for e in executions if e["exec_type"] == "trade"]
    entries = [e for e in updates if "ledger_id" in e]
    assert {e["exec_type"] for e in executions} >= {"pending_new", "new", "trade", "filled"}
    assert len(fills) > 50
    for fill in fills:
        trade = books.trades[fill["exec_id"]]
        assert fill["order_id"] == trade.order.order_id
        assert Decimal(str(fill["last_qty"])) == trade.quantity
        assert Decimal(str(fill["last_price"])) == trade.price
    assert entries
    for entry in entries:
        assert Decimal(str(entry["balance"])) == books.entries[entry["ledger_id"]].balance


def sdk_frames(spot: Any, account: Account) -> list[Any]:
    """Everything the SDK hands on until it has seen fills and ledger entries live."""
    frames: list[Any] = []

    async def stream() -> None:
        enough = asyncio.Event()

        async def keep(message: Any) -> None:
            frames.append(message)
            live = [f for f in frames if f.get("type") == "update" and "sequence" in f]
            if {f["channel"] for f in live} == {"executions", "balances"} and len(live) > 30:
                enough.set()

        client = spot.SpotWSClient(
            key=account.api_key.reveal(),
            secret=account.api_secret.reveal(),
            callback=keep,
            no_public=True,
            rest_url=account.endpoints.rest_url,
            auth_ws_url=account.endpoints.ws_url.removesuffix("/v2"),
        )
        await client.start()
        await client.subscribe(
            params={"channel": "executions", "snap_orders": True, "snap_trades": True}
        )
        await client.subscribe(params={"channel": "balances"})
        await enough.wait()
        await client.close()

    run(stream)
    return frames


def test_the_sdk_reads_the_history_over_rest(simulation: Simulation) -> None:
    account = account_of(simulation)
    with peer("kraken.spot") as spot:
        user = spot.User(
            key=account.api_key.reveal(),
            secret=account.api_secret.reveal(),
            url=account.endpoints.rest_url,
        )
        pages = [user.get_trades_history(ofs=offset, end=2_000_000_000) for offset in (0, 50)]
        ledger = user.get_ledgers_info()
        open_orders = user.get_open_orders()["open"]
        closed = user.get_closed_orders()["closed"]
        orders = user.get_orders_info(txid=list(closed)[:3], trades=True)
        balances = user.get_balances()
        user.get_account_balance()
    simulation.stop()
    books = books_of(simulation)
    assert all(len(page["trades"]) == 50 for page in pages)
    for name, row in pages[1]["trades"].items():
        assert Decimal(row["vol"]) == books.trades[name].quantity
        assert row["ordertxid"] == books.trades[name].order.order_id
    for name, row in ledger["ledger"].items():
        assert Decimal(row["balance"]) == books.entries[name].balance
    assert open_orders.keys() <= books.orders.keys()
    for name, row in orders.items():
        assert Decimal(row["vol_exec"]) == books.orders[name].filled
    assert balances


# --- ccxt ------------------------------------------------------------------------------


def ccxt_client(pro: Any, account: Account) -> Any:
    client = pro.kraken(
        {
            "apiKey": account.api_key.reveal(),
            "secret": account.api_secret.reveal(),
            "enableRateLimit": False,
        }
    )
    rest, socket = account.endpoints.rest_url, account.endpoints.ws_url
    client.urls["api"] |= {
        "public": rest,
        "private": rest,
        "ws": {"private": socket.removesuffix("/v2"), "privateV2": socket},
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
                if trade["id"] is not None:  # ccxt takes any execution for a trade
                    seen[trade["id"]] = trade

    watched(simulation, watch)
    for name, trade in seen.items():
        truth = books_of(simulation).trades[name]
        assert Decimal(str(trade["amount"])) == truth.quantity
        assert Decimal(str(trade["fee"]["cost"])) == truth.fee
        assert trade["symbol"] == truth.order.symbol.name
        assert trade["takerOrMaker"] == ("maker" if truth.maker else "taker")


def test_ccxt_watches_orders(simulation: Simulation) -> None:
    seen: dict[str, Any] = {}

    def is_enough() -> bool:
        states = {order["status"] for order in seen.values()}
        return (
            len(seen) >= 20 and states >= {"open", "closed"} and any(map(is_whole, seen.values()))
        )

    def is_whole(order: dict[str, Any]) -> bool:
        """It was placed while the client looked on; of others it tells what changed only."""
        return order["side"] is not None

    async def watch(client: Any) -> None:
        while not is_enough():
            for order in await client.watch_orders():
                seen[order["id"]] = order

    watched(simulation, watch)
    orders = books_of(simulation).orders
    assert seen.keys() <= orders.keys()
    assert {order["status"] for order in seen.values()} >= {"open", "closed"}
    for order in filter(is_whole, seen.values()):
        assert order["symbol"] == orders[order["id"]].symbol.name


def test_ccxt_watches_balances(simulation: Simulation) -> None:
    seen: list[dict[str, Any]] = []

    async def watch(client: Any) -> None:
        for _ in range(6):
            balance = await client.watch_balance()
            seen.append(dict(balance["total"]))

    watched(simulation, watch)
    entries = books_of(simulation).entries.values()
    told = {(entry.currency, entry.balance) for entry in entries}
    assert len(seen[0]) == 6
    for before, after in pairwise(seen):
        for currency, total in after.items():
            if total != before[currency]:
                assert (currency, Decimal(str(total))) in told


def test_ccxt_fetches_open_orders_and_trades(simulation: Simulation) -> None:
    fetched: dict[str, list[Any]] = {}

    async def fetch(client: Any) -> None:
        fetched["orders"] = await client.fetch_open_orders()
        fetched["trades"] = await client.fetch_my_trades()
        fetched["balance"] = [await client.fetch_balance()]

    watched(simulation, fetch)
    books = books_of(simulation)
    assert fetched["orders"]
    for order in fetched["orders"]:
        truth = books.orders[order["id"]]
        assert order["symbol"] == truth.symbol.name
        assert Decimal(str(order["amount"])) == truth.quantity
    assert len(fetched["trades"]) == 50
    for trade in fetched["trades"]:
        assert Decimal(str(trade["price"])) == books.trades[trade["id"]].price
    assert {"BTC", "DOGE", "EUR"} <= fetched["balance"][0]["total"].keys()

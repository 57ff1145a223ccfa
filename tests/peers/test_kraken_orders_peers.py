"""Clients that others wrote place and cancel orders at the simulated Kraken."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from privstream.simulator.kraken import SimulatedKraken
from privstream.simulator.market import Order
from privstream.simulator.server import Simulation
from tests.peers.test_kraken_peers import account_of, ccxt_client, peer, run

pytestmark = pytest.mark.peer
LIVELY = 80.0


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken"], seed=5, rate=LIVELY, limits=False) as served:
        yield served


def truth(simulation: Simulation, order_id: str) -> Order:
    kraken = simulation.exchanges["kraken"]
    assert isinstance(kraken, SimulatedKraken)
    return kraken.market.books.orders[order_id]


def traded(simulation: Simulation, trade: Callable[[Any], Awaitable[None]]) -> None:
    """Run a story with a ccxt client, then stop the simulation."""
    with peer("ccxt.pro") as pro:

        async def story() -> None:
            client = ccxt_client(pro, account_of(simulation))
            try:
                await trade(client)
            finally:
                await client.close()

        run(story)
    simulation.stop()


def test_ccxt_places_and_cancels_over_the_socket(simulation: Simulation) -> None:
    told: dict[str, Any] = {}

    async def trade(client: Any) -> None:
        told["limit"] = await client.create_order_ws(
            "ETH/EUR", "limit", "buy", 0.5, 2000.5, {"postOnly": True}
        )
        told["market"] = await client.create_order_ws("ETH/EUR", "market", "sell", 0.25)
        told["stop"] = await client.create_order_ws(
            "BTC/EUR", "limit", "sell", 0.01, 50000, {"stopLossPrice": 51000}
        )
        told["canceled"] = await client.cancel_order_ws(told["limit"]["id"])
        with pytest.raises(Exception, match="Insufficient funds"):
            await client.create_order_ws("ETH/EUR", "limit", "buy", 5000, 2000)

    traded(simulation, trade)
    limit, market, stop = (truth(simulation, told[n]["id"]) for n in ("limit", "market", "stop"))
    assert (limit.status, limit.price, limit.post_only) == ("canceled", Decimal("2000.5"), True)
    assert (market.status, market.filled) == ("filled", Decimal("0.25"))
    assert (stop.type, stop.stop_price, stop.price) == (
        "stop_loss_limit",
        Decimal(51000),
        Decimal(50000),
    )
    assert told["canceled"]["result"]["order_id"] == limit.order_id


def test_ccxt_places_looks_and_cancels_over_rest(simulation: Simulation) -> None:
    told: dict[str, Any] = {}

    async def trade(client: Any) -> None:
        name = {"clientOrderId": "by-ccxt-1"}
        told["limit"] = await client.create_order("ETH/EUR", "limit", "sell", 0.5, 4000.5, name)
        told["market"] = await client.create_order("ETH/EUR", "market", "buy", 0.25)
        told["trailing"] = await client.create_order(
            "BTC/EUR", "market", "sell", 0.01, None, {"trailingPercent": "9.5"}
        )
        told["seen"] = await client.fetch_order(told["market"]["id"])
        told["open"] = await client.fetch_open_orders("ETH/EUR")
        await client.cancel_order(told["limit"]["id"])
        with pytest.raises(Exception, match="Unknown order"):
            await client.cancel_order(told["limit"]["id"])
        told["closed"] = await client.fetch_order(told["limit"]["id"])

    traded(simulation, trade)
    limit, trailing = (truth(simulation, told[name]["id"]) for name in ("limit", "trailing"))
    assert (limit.client_id, limit.status) == ("by-ccxt-1", "canceled")
    assert limit.order_id in [order["id"] for order in told["open"]]
    assert told["closed"]["status"] == "canceled"
    assert (told["seen"]["status"], told["seen"]["filled"]) == ("closed", 0.25)
    assert trailing.type == "trailing_stop"
    assert trailing.stop_offset is not None
    assert (trailing.stop_offset.value, trailing.stop_offset.unit) == (Decimal("9.5"), "pct")


def test_the_sdk_places_and_cancels_over_the_socket(simulation: Simulation) -> None:
    account, frames = account_of(simulation), list[Any]()
    with peer("kraken.spot") as spot:

        async def story() -> None:
            async def keep(message: Any) -> None:
                frames.append(message)

            client = spot.SpotWSClient(
                key=account.api_key.reveal(),
                secret=account.api_secret.reveal(),
                callback=keep,
                no_public=True,
                rest_url=account.endpoints.rest_url,
                auth_ws_url=account.endpoints.ws_url.removesuffix("/v2"),
            )
            await client.start()
            await client.subscribe(params={"channel": "executions"})
            order = {
                "order_type": "iceberg",
                "side": "buy",
                "symbol": "BTC/EUR",
                "order_qty": 0.1,
                "display_qty": 0.02,
                "limit_price": 40000.5,
                "cl_ord_id": "by-sdk",
            }
            await client.send_message({"method": "add_order", "params": order})
            placed = await answer("add_order")
            ids = [placed["result"]["order_id"]]
            await client.send_message({"method": "cancel_order", "params": {"order_id": ids}})
            await answer("cancel_order")
            await client.close()

        async def answer(method: str) -> Any:
            while True:
                for frame in frames:
                    if frame.get("method") == method:
                        return frame
                await asyncio.sleep(0.01)

        run(story)
    simulation.stop()
    replies = [frame for frame in frames if frame.get("method") in {"add_order", "cancel_order"}]
    assert [reply["success"] for reply in replies] == [True, True]
    order = truth(simulation, replies[0]["result"]["order_id"])
    assert (order.type, order.display_quantity) == ("iceberg", Decimal("0.02"))
    assert (order.client_id, order.status) == ("by-sdk", "canceled")


def test_the_sdk_places_and_cancels_over_rest(simulation: Simulation) -> None:
    account = account_of(simulation)
    with peer("kraken.spot") as spot:
        client = spot.Trade(
            key=account.api_key.reveal(),
            secret=account.api_secret.reveal(),
            url=account.endpoints.rest_url,
        )
        placed = client.create_order(
            ordertype="stop-loss-limit",
            side="sell",
            pair="ETHEUR",
            volume="0.5",
            price="2500",
            price2="2490",
            leverage="2",
            userref=12345,
        )
        (order_id,) = placed["txid"]
        assert client.cancel_order(txid=order_id)["count"] == 1
        assert client.cancel_all_orders()["count"] > 0  # those that the account had anyway
    simulation.stop()
    order = truth(simulation, order_id)
    assert (order.stop_price, order.price, order.leverage) == (Decimal(2500), Decimal(2490), 2)
    assert (order.user_reference, order.status) == (12345, "canceled")

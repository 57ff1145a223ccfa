"""Clients that others wrote must be content with the simulated Indodax, and see the truth."""

import asyncio
import hmac
import logging
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import requests

from privstream.model.account import Account
from privstream.model.rest import Now
from privstream.simulator.faults import Fault
from privstream.simulator.indodax.exchange import SimulatedIndodax
from privstream.simulator.server import Simulation, system_clock

pytestmark = pytest.mark.peer
LIVELY = 10.0
FAST = 20
"""So many simulated seconds pass in one, so that pings come while we look."""
PATIENCE = 20.0


@contextmanager
def peer(name: str) -> Iterator[Any]:
    """The peer's package; what it warns of is its own business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip(name, reason="needs the extra `peers`")


class Served:
    """A simulated Indodax on loopback, and what one needs to visit it."""

    def __init__(self, speed: float = FAST, **options: Any) -> None:
        self.speed = speed
        self.indodax = SimulatedIndodax(seed=5, rate=LIVELY, limits=False, **options)
        self.start = system_clock()
        self.simulation = Simulation([], exchanges={"indodax": self.indodax}, clock=self.now)
        self.simulation.start()
        self.account: Account = self.simulation.account("indodax", {})

    def now(self) -> Now:
        """The time here, which runs fast."""
        (wall_ns, monotonic), real = self.start, system_clock()
        passed = (real.monotonic - monotonic) * self.speed
        return Now(wall_ns + int(passed * 1e9), monotonic + passed)

    def passed(self) -> float:
        return self.now().monotonic - self.start.monotonic

    @property
    def url(self) -> str:
        return self.account.endpoints.ws_url

    def login(self) -> tuple[str, str]:
        body = f"client=tapi&tapi_key={self.account.api_key.reveal()}"
        secret = self.account.api_secret.reveal().encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Sign": hmac.digest(secret, body.encode(), "sha512").hex(),
        }
        url = self.account.endpoints.rest_url + "/api/private_ws/v1/generate_token"
        answer = requests.post(url, data=body, headers=headers, timeout=5).json()["return"]
        return answer["connToken"], answer["channel"]


@contextmanager
def served(**options: Any) -> Iterator[Served]:
    one = Served(**options)
    try:
        yield one
    finally:
        one.simulation.stop()


# --- centrifuge-python, the official client --------------------------------------------


class Visit:
    """What the official client was told, and how often it asked for a token."""

    def __init__(self, place: Served, url: str | None = None) -> None:
        self.place, self.url = place, url or place.url
        self.channel = place.login()[1]
        self.publications: list[Any] = []
        self.subscriptions: list[Any] = []
        self.errors: list[Any] = []
        self.end: Any = None
        self.tokens = 0
        self.stirred = asyncio.Event()

    async def token(self) -> str:
        self.tokens += 1
        return await asyncio.to_thread(lambda: self.place.login()[0])

    async def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.stirred.clear()
            await self.stirred.wait()

    @property
    def orders(self) -> list[Any]:
        return [e["order"] for p in self.publications for e in p.data]

    @property
    def fills(self) -> list[Any]:
        return [order for order in self.orders if "tradeId" in order]

    def note(self, what: list[Any]) -> Callable[[Any], Awaitable[None]]:
        async def keep(told: Any) -> None:
            what.append(getattr(told, "pub", told))
            self.stirred.set()

        return keep

    async def ended(self, told: Any) -> None:
        self.end = told
        self.stirred.set()


def visit(
    place: Served,
    story: Callable[[Visit], Awaitable[None]],
    url: str | None = None,
    token: str = "",
) -> Visit:
    """Let the official client stream for as long as the story takes."""
    logging.getLogger("centrifuge").setLevel(logging.CRITICAL)

    async def stream() -> Visit:
        seen = Visit(place, url)
        events, subscribed = package.ClientEventHandler(), package.SubscriptionEventHandler()
        events.on_error, events.on_disconnected = seen.note(seen.errors), seen.ended
        subscribed.on_publication = seen.note(seen.publications)
        subscribed.on_subscribed = seen.note(seen.subscriptions)
        client = package.Client(seen.url, events, token=token, get_token=seen.token, proxy=None)
        await client.connect()
        # A place in the history is told only to who asks for it.
        await client.new_subscription(seen.channel, subscribed, recoverable=True).subscribe()
        await story(seen)
        await client.disconnect()
        return seen

    async def with_patience() -> Visit:
        return await asyncio.wait_for(stream(), PATIENCE)

    with peer("centrifuge") as package:
        return asyncio.run(with_patience())


@pytest.mark.parametrize("flag", [True, False], ids=["native pings", "json pings"])
def test_the_official_client_stays_and_is_told_every_fill_as_it_was(flag: bool) -> None:  # noqa: FBT001 - pytest's
    async def story(seen: Visit) -> None:
        await seen.until(lambda: len(seen.fills) > 50 and place.passed() > 55)

    with served() as place:
        url = place.url if flag else place.url.partition("?")[0]
        seen = visit(place, story, url)
        books = place.indodax.market.books
    assert not seen.errors
    assert [one.recoverable for one in seen.subscriptions] == [False], "it was never cut off"
    assert {o["status"] for o in seen.orders} >= {"NEW", "FILL", "DONE", "CANCELLED"}
    assert len({fill["tradeId"] for fill in seen.fills}) == len(seen.fills)
    for fill in seen.fills:
        trade = books.trades[fill["tradeId"]]
        assert Decimal(fill["fillInformation"]["qty"]) == trade.quantity
        assert fill["orderId"].endswith(f"-{trade.order.order_id}")


def test_the_official_client_recovers_what_it_missed() -> None:
    async def story(seen: Visit) -> None:
        for number in range(1, 4):
            await seen.until(lambda: len(seen.publications) > number * 20)  # noqa: B023 - awaited here
            place.simulation.faults["indodax"].strike(Fault("drop"))
            await seen.until(lambda: len(seen.subscriptions) > number)  # noqa: B023 - awaited here

    with served(history=300) as place:
        seen = visit(place, story)
    assert [one.recovered for one in seen.subscriptions] == [False, True, True, True]
    offsets = [publication.offset for publication in seen.publications]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))


def test_the_official_client_gets_a_new_token_for_one_that_has_ended() -> None:
    async def story(seen: Visit) -> None:
        await seen.until(lambda: len(seen.publications) > 3)

    with served() as place:
        place.indodax.tokens._life = -5
        old = place.login()[0]
        place.indodax.tokens._life = 600
        seen = visit(place, story, token=old)
    assert seen.tokens == 1
    assert seen.publications


def test_the_official_client_keeps_its_socket_by_refreshing() -> None:
    async def story(seen: Visit) -> None:
        await seen.until(lambda: seen.tokens >= 3 and len(seen.publications) > 3)

    with served(speed=1, token_life=1) as place:
        seen = visit(place, story)
    assert len(seen.subscriptions) == 1, "it never had to connect again"


@pytest.mark.parametrize(("code", "goes_on"), [(3001, True), (3503, False), (4501, False)])
def test_the_official_client_takes_our_close_codes_as_meant(code: int, goes_on: bool) -> None:  # noqa: FBT001 - pytest's
    async def story(seen: Visit) -> None:
        await seen.until(lambda: bool(seen.subscriptions))
        place.simulation.faults["indodax"].strike(Fault("close", count=code, text="a reason"))
        await seen.until(lambda: seen.end is not None or len(seen.subscriptions) > 1)

    with served() as place:
        seen = visit(place, story)
    assert (len(seen.subscriptions) > 1) is goes_on
    assert goes_on or (seen.end.code, seen.end.reason) == (code, "a reason")


# --- ccxt, over REST -------------------------------------------------------------------


def test_ccxt_reads_balances_and_open_orders() -> None:
    with served(speed=1) as place, peer("ccxt") as ccxt:
        key, secret = place.account.api_key.reveal(), place.account.api_secret.reveal()
        client = ccxt.indodax({"apiKey": key, "secret": secret})
        client.urls["api"]["private"] = place.account.endpoints.rest_url + "/tapi"
        client.set_markets([market(client, pair) for pair in ("BTC/IDR", "AAVE/IDR")])
        balance = client.fetch_balance()
        orders = client.fetch_open_orders("BTC/IDR")
        one = client.fetch_order(orders[0]["id"], "BTC/IDR") if orders else None
        client.session.close()
    books = place.indodax.market.books
    assert balance["total"].keys() >= {"BTC", "IDR", "USDT", "1INCH"}
    for order in orders:
        assert books.orders[order["id"]].side == order["side"]
    assert one is None or one["id"] == orders[0]["id"]


def market(client: Any, symbol: str) -> Any:
    """A market as ccxt would have read it from the public API, which is not simulated."""
    base, quote = symbol.split("/")
    name = f"{base}_{quote}".lower()
    named = {"base": base, "quote": quote, "baseId": base.lower(), "quoteId": quote.lower()}
    digits = {"precision": {"amount": 1e-8, "price": 1}}
    return client.safe_market_structure({"id": name, "symbol": symbol, **named, **digits})

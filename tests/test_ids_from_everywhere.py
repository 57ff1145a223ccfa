"""An id names the fact: REST, read by a ledger that knows nothing, gives the stream's ids."""

import pytest

from privstream.exchanges import find
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Secret, Token
from privstream.model.events import TERMINAL, AnyEvent, Order, Trade
from privstream.model.reports import Known
from privstream.model.rest import Stamp
from privstream.model.times import from_nanos
from tests.joined import World


def read_back(world: World, since_ns: int) -> list[AnyEvent]:
    """What a second client, that has seen nothing, reads of the same account."""
    world.stop.clear()
    now = world.clock.now()
    symbols = {event.exchange_symbol for event in world.events if isinstance(event, Order | Trade)}
    known = Known(
        since_ns=since_ns,
        until_ns=now.wall_ns,
        channels=world.channels,
        symbols=frozenset(symbol for symbol in symbols if symbol is not None),
    )
    client = find(world.exchange.name)(world.exchange.account)
    found = world.run(client.backfill(known))
    view = View(client.name, client.account.name, frozenset(world.channels))
    book = Ledger(view, from_nanos(since_ns))
    received = from_nanos(now.wall_ns)
    return [event for report in found.reports for event in book.take(report, received)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("kraken", {}),
        ("kraken", {"protocol": "v1"}),
        ("bitfinex", {}),
        ("poloniex", {}),
        ("indodax", {}),
        ("zerocap", {}),
    ],
)
def test_rest_without_memory_gives_the_ids_of_the_stream(
    name: str, options: dict[str, str]
) -> None:
    world = World(name, seed=5, rate=1.0, limits=False, options=options)
    began = world.clock.now().wall_ns + 5 * 10**9  # the login is over
    world.watch(100)
    streamed = {event.id for event in world.events}
    orders = {event.order_id for event in world.events if isinstance(event, Order)}
    found = read_back(world, began)
    ended = [
        event
        for event in found
        if isinstance(event, Order) and event.status in TERMINAL and event.order_id in orders
    ]
    trades = [event for event in found if isinstance(event, Trade)]
    assert len(ended) > 10
    assert len(trades) > 10
    assert [event.id for event in (*ended, *trades) if event.id not in streamed] == []


def standing(world: World) -> list[Order]:
    """What a second client, that has seen nothing, finds standing."""
    world.stop.clear()
    now = world.clock.now()
    client = find(world.exchange.name)(world.exchange.account)
    last = {event.order_id: event for event in world.events if isinstance(event, Order)}
    live = [name for name, order in last.items() if order.status not in TERMINAL]
    if client.snapshot_over_rest:
        token = Token(Secret("token"), None, "channel")
        tuple(client.session(token, world.channels).open(Stamp(now, 1)))  # it connects
        reports = world.run(client.picture(world.channels)).reports
    else:
        reports = world.run(client.look_up(live))
    book = Ledger(View(client.name, client.account.name, frozenset(world.channels)))
    received = from_nanos(now.wall_ns)
    events = [event for report in reports for event in book.take(report, received)]
    return [event for event in events if isinstance(event, Order) and event.status not in TERMINAL]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("kraken", {}),
        ("kraken", {"protocol": "v1"}),
        ("bitfinex", {}),
        ("poloniex", {}),
        ("indodax", {"api": "v1"}),
        ("indodax", {"api": "v2"}),
        ("zerocap", {}),
    ],
)
def test_so_it_does_of_orders_that_stand(name: str, options: dict[str, str]) -> None:
    world = World(name, seed=6, rate=1.0, limits=False, options=options)
    world.watch(60)
    streamed = {event.id for event in world.events}
    found = standing(world)
    assert len(found) > 3
    assert [event.id for event in found if event.id not in streamed] == []

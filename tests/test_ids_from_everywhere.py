"""An id names the fact: REST, read by a ledger that knows nothing, gives the stream's ids."""

import pytest

from privstream.exchanges import find
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.events import TERMINAL, AnyEvent, Order, Trade
from privstream.model.reports import Known
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

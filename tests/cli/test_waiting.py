"""Waiting for an order against every simulated exchange in memory: what is told, and the verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest

from privstream import exchanges
from privstream.app import wait_for_order as waiting_module
from privstream.app.wait_for_order import CHANNELS, LINGER, OrderProgress, Until, _Wait, verdict
from privstream.connection.account.one_order import OneOrder
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.errors import Exit, PermissionMissing, UnknownOrder
from privstream.model.events import AnyEvent, Gap, Notice, Order, OrderStatus, Trade
from privstream.model.reports import OrderFields, OrderReport
from privstream.model.rest import HttpResponse, Now
from privstream.model.times import from_nanos
from privstream.simulator import find
from privstream.simulator import market as life
from tests.fake_clock import START_NS
from tests.joined import BASE, World
from tests.outside import environment

every_exchange = pytest.mark.parametrize("name", exchanges.names())
SECONDS = 70


@lru_cache
def books(name: str) -> life.Books:
    """What will have happened in the account: a life is known beforehand."""
    simulated: Any = find(name)(seed=1, rate=2.0, limits=False)
    simulated.market.advance(Now(START_NS + SECONDS * 10**9, 1000.0 + SECONDS))
    found: life.Books = simulated.market.books
    return found


def at(wall_ns: int | None) -> float:
    """Seconds after the start; what has not ended ends late."""
    return float("inf") if wall_ns is None else (wall_ns - START_NS) / 1e9


def pick(name: str, which: Callable[[life.Order], bool]) -> life.Order:
    """The first such order to end."""
    return min(filter(which, books(name).orders.values()), key=lambda order: at(order.closed_ns))


def id_of(name: str, order: life.Order) -> str:
    """As its exchange spells it; only Indodax puts something before the number."""
    if name != "indodax":
        return order.order_id
    kind = {"stop_loss_limit": "stoplimit"}.get(order.type, order.type)
    return f"{order.symbol.base}{order.symbol.quote}-{kind}-{order.order_id}".lower()


def fills_well(order: life.Order) -> bool:
    """A limit order that stands at the start and fills in parts."""
    stands = at(order.created_ns) < -1 and at(order.closed_ns) > 3
    return stands and order.type == "limit" and order.status == "filled" and len(order.trades) > 1


def is_canceled(order: life.Order) -> bool:
    stands = at(order.created_ns) < 8 and at(order.closed_ns) > max(3, at(order.created_ns) + 5)
    return stands and order.status == "canceled"


class Waited:
    """A world in which somebody waits for an order."""

    def __init__(
        self,
        name: str,
        order_id: str,
        until: Until = Until.FILLED,
        *,
        since: float | None = None,
    ) -> None:
        self.world = World(name, rate=2.0, channels=CHANNELS, limits=False, since=since)
        supervisor = self.world.supervisor
        one = OneOrder(supervisor.exchange, supervisor._ledger, order_id)
        supervisor._outside = replace(supervisor._outside, around=one.around)
        self.progress = OrderProgress(order_id, until, from_start=since is not None)
        self.told: list[AnyEvent] = []

    def run(self, seconds: float) -> "Waited":
        self.told = self.progress.take(self.world.watch(seconds))
        return self

    @property
    def orders(self) -> list[Order]:
        return [event for event in self.told if isinstance(event, Order)]

    @property
    def last(self) -> tuple[str, str]:
        return self.orders[-1].status, self.orders[-1].source

    @property
    def trades(self) -> set[str]:
        return {event.trade_id for event in self.told if isinstance(event, Trade)}


# --- on every exchange ---------------------------------------------------------------------


@every_exchange
def test_an_order_that_fills_is_told_with_its_fills_and_the_right_fee(name: str) -> None:
    order = pick(name, fills_well)
    waited = Waited(name, id_of(name, order)).run(at(order.closed_ns) + 12)
    assert waited.progress.verdict is Exit.DONE
    assert {event.order_id for event in waited.told} == {id_of(name, order)}  # type: ignore[union-attr]  # only these two kinds
    since = [t for t in order.trades if at(books(name).trades[t].time_ns) > 1]
    assert waited.trades >= set(since)
    assert waited.progress.untold == 0
    assert waited.orders[-1].status == "filled"
    fee = waited.orders[-1].fee
    assert fee is None or Decimal(fee) == order.fee


@every_exchange
def test_an_order_that_is_canceled_instead_ends_it_with_6(name: str) -> None:
    order = pick(name, is_canceled)
    waited = Waited(name, id_of(name, order)).run(at(order.closed_ns) + 6)
    assert waited.progress.verdict is Exit.WRONG_END
    assert waited.orders[-1].status == "canceled"


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "limit") for name in exchanges.names()), ("indodax", "market")]
)
def test_an_order_that_ended_before_the_start_is_told_at_once(name: str, kind: str) -> None:
    order = pick(
        name, lambda o: o.type == kind and o.status == "filled" and -60 < at(o.closed_ns) < -2
    )
    waited = Waited(name, id_of(name, order)).run(3)
    assert waited.progress.verdict is Exit.DONE
    [only] = waited.orders
    assert (only.status, only.source) == ("filled", "rest")


@every_exchange
def test_an_order_followed_since_its_placing_has_all_its_fills(name: str) -> None:
    order = pick(name, lambda o: -18 < at(o.created_ns) < 0 < len(o.trades) and at(o.closed_ns) < 0)
    waited = Waited(name, id_of(name, order), Until.CLOSED, since=20.0).run(12)
    assert waited.trades == set(order.trades)
    assert waited.progress.untold == 0
    assert waited.progress.verdict is Exit.DONE


@every_exchange
def test_an_order_that_ends_while_we_are_cut_off_is_read_back(name: str) -> None:
    order = pick(name, lambda o: fills_well(o) and at(o.closed_ns) > 12)
    waited = Waited(name, id_of(name, order))
    waited.world.at(at(order.closed_ns) - 3, World.down, 8)
    waited.run(at(order.closed_ns) + 25)
    assert waited.last == ("filled", "rest")
    assert waited.trades >= {t for t in order.trades if at(books(name).trades[t].time_ns) > 1}
    assert waited.progress.verdict is Exit.DONE


@every_exchange
def test_an_order_that_nobody_knows_is_refused_after_a_while(name: str) -> None:
    example = exchanges.find(name).order_id_form[1]
    waited = Waited(name, example)
    with pytest.raises(UnknownOrder, match=example) as caught:
        waited.run(60)
    assert caught.value.exit is Exit.REFUSED
    passed = waited.world.clock.now().monotonic - 1000.0
    assert 10 < passed < 22


@every_exchange
def test_an_order_that_rest_does_not_know_yet_is_not_called_unknown(name: str) -> None:
    order = pick(name, lambda o: 4 < at(o.created_ns) < 9 and at(o.closed_ns) < 50)
    waited = Waited(name, id_of(name, order), Until.CLOSED).run(min(at(order.closed_ns), 50) + 10)
    assert waited.progress.verdict is Exit.DONE


@pytest.mark.parametrize("name", ["indodax", "poloniex", "zerocap"])
def test_an_end_that_the_stream_never_tells_is_found_by_looking_again(name: str) -> None:
    # The other two number their frames, and notice by that when one is lost.
    order = pick(name, lambda o: is_canceled(o) and at(o.created_ns) < -1)
    waited = Waited(name, id_of(name, order), Until.CANCELED)
    clock, closed = waited.world.clock, 1000.0 + at(order.closed_ns) - 1

    def without_its_end(text: str) -> Iterable[str]:
        return [] if order.order_id in text and clock.now().monotonic > closed else [text]

    waited.world.spoil = without_its_end
    waited.run(at(order.closed_ns) + 65)
    assert waited.last == ("canceled", "rest")
    assert waited.progress.verdict is Exit.DONE


# --- looking -------------------------------------------------------------------------------


def test_a_key_that_may_not_look_ends_it_with_what_it_lacks() -> None:
    waited = Waited("kraken", "OAAAAA-BBBBB-CCCCCC")
    body = b'{"error":["EGeneral:Permission denied"]}'
    denied = HttpResponse(status=200, headers={"content-type": "application/json"}, body=body)
    waited.world.refuse = lambda r: denied if "QueryOrders" in r.path else None
    with pytest.raises(PermissionMissing, match="QueryOrders"):
        waited.run(30)


def test_a_look_that_is_refused_later_leaves_the_stream_to_go_on() -> None:
    order = pick("kraken", lambda o: at(o.created_ns) < -1 and at(o.closed_ns) > 12)
    waited = Waited("kraken", order.order_id, Until.CLOSED)
    body = b'{"error":["EGeneral:Permission denied"]}'
    denied = HttpResponse(status=200, headers={"content-type": "application/json"}, body=body)
    clock = waited.world.clock
    waited.world.refuse = lambda r: (
        denied if "QueryOrders" in r.path and clock.now().monotonic > 1003 else None
    )
    waited.run(at(order.closed_ns) + 5)
    assert waited.progress.verdict is Exit.DONE
    assert any(notice.code == "look_up" for notice in waited.world.told(Notice))


def test_looks_grow_rare_once_the_order_is_known() -> None:
    order = pick("kraken", lambda o: at(o.created_ns) < -1 and at(o.closed_ns) > 30)
    waited = Waited("kraken", order.order_id).run(60)
    assert 3 <= waited.world.requests.count("QueryOrders") <= 5


def test_rest_that_is_out_of_reach_is_asked_again() -> None:
    order = pick("poloniex", lambda o: at(o.closed_ns) < -2)
    waited = Waited("poloniex", order.order_id, Until.CLOSED)
    busy = HttpResponse(status=503, headers={}, body=b"")
    clock = waited.world.clock
    waited.world.refuse = lambda r: (
        busy if order.order_id in r.path and clock.now().monotonic < 1010 else None
    )
    waited.run(20)
    assert waited.progress.verdict is Exit.DONE
    assert any(notice.code == "look_up" for notice in waited.world.told(Notice))


# --- the ledger ----------------------------------------------------------------------------


def test_a_fee_that_was_stated_before_the_last_fill_is_not_the_fee_of_all() -> None:
    ledger = Ledger(View("kraken", "kraken", frozenset(CHANNELS)))
    terms: OrderFields = {
        "symbol": "BTC/EUR",
        "side": "buy",
        "quantity": "2",
        "status": "open",
        "filled": "1",
        "fee": "0.5",
    }
    now = from_nanos(START_NS)
    ledger.take(OrderReport("A", terms, source="rest"), now)
    [event] = ledger.take(OrderReport("A", {"status": "filled", "filled": "2"}), now)
    assert isinstance(event, Order)
    assert event.fee is None


# --- verdicts ------------------------------------------------------------------------------


def order_event(status: OrderStatus, filled: str | None = None) -> Order:
    keys = dict.fromkeys(Order.__struct_fields__)
    given: Any = {**keys, "order_id": "A", "status": status, "filled": filled, "quantity": "2"}
    return Order(**{**given, "exchange": "kraken", "account": "kraken", "source": "stream"})


def trade_event(quantity: str | None, order_id: str = "A") -> Trade:
    given: Any = dict.fromkeys(Trade.__struct_fields__)
    return Trade(**{**given, "order_id": order_id, "trade_id": "t", "quantity": quantity})


DONE, WRONG, NOT_YET = Exit.DONE, Exit.WRONG_END, None


@pytest.mark.parametrize(
    ("until", "status", "filled", "expected"),
    [
        ("filled", "open", "0", NOT_YET),
        ("filled", "partially_filled", "1", NOT_YET),
        ("filled", "filled", "2", DONE),
        ("filled", "canceled", "1", WRONG),
        ("filled", "unknown", None, NOT_YET),
        ("closed", "partially_filled", "1", NOT_YET),
        ("closed", "filled", None, DONE),
        ("closed", "canceled", "0", DONE),
        ("closed", "expired", "0", DONE),
        ("closed", "rejected", "0", DONE),
        ("canceled", "open", "0", NOT_YET),
        ("canceled", "canceled", "1", DONE),
        ("canceled", "filled", "2", WRONG),
        ("canceled", "expired", "0", WRONG),
        ("canceled", "rejected", "0", WRONG),
        ("open", "pending", "0", NOT_YET),
        ("open", "open", "0", DONE),
        ("open", "partially_filled", "1", DONE),
        ("open", "filled", "2", DONE),
        ("open", "canceled", "0", WRONG),
        ("open", "canceled", "1", DONE),
        ("partially_filled", "open", "0", NOT_YET),
        ("partially_filled", "partially_filled", "1", DONE),
        ("partially_filled", "filled", None, DONE),
        ("partially_filled", "canceled", "1", DONE),
        ("partially_filled", "canceled", "0", WRONG),
        ("partially_filled", "canceled", None, WRONG),
    ],
)
def test_what_counts_as_reached(
    until: str, status: OrderStatus, filled: str | None, expected: Exit | None
) -> None:
    assert verdict(Until(until), order_event(status, filled)) is expected


def test_the_first_verdict_stands() -> None:
    progress = OrderProgress("A", Until.OPEN)
    progress.take([order_event("open", "0"), order_event("canceled", "0")])
    assert progress.verdict is Exit.DONE


def test_other_orders_and_their_fills_are_left_out() -> None:
    progress = OrderProgress("B", Until.OPEN)
    assert progress.take([order_event("open", "0"), trade_event("1")]) == []
    assert progress.verdict is None


def test_fills_that_are_still_to_come_are_known() -> None:
    progress = OrderProgress("A", Until.FILLED)
    progress.take([order_event("partially_filled", "0.5")])
    assert progress.untold == 0  # they were before our time
    progress.take([order_event("filled", "2")])
    assert progress.untold == Decimal("1.5")
    progress.take([trade_event("1.50")])
    assert progress.untold == 0


def test_what_was_filled_before_is_known_as_soon_as_anybody_says_how_much_was() -> None:
    progress = OrderProgress("A", Until.FILLED)
    progress.take([order_event("open", None), order_event("partially_filled", "0.5")])
    assert progress.untold == 0
    progress.take([trade_event("1.5"), order_event("filled", "2")])
    assert progress.untold == 0


def test_a_fill_told_before_its_order_is_counted_once() -> None:
    progress = OrderProgress("A", Until.FILLED)
    progress.take([trade_event("2"), order_event("filled", "2")])
    assert progress.untold == 0


def test_fills_from_the_placing_on_are_all_expected() -> None:
    progress = OrderProgress("A", Until.FILLED, from_start=True)
    progress.take([order_event("filled", "2")])
    assert progress.untold == 2


def test_a_fill_without_a_quantity_holds_nothing_up() -> None:
    progress = OrderProgress("A", Until.FILLED)
    progress.take([order_event("open", "0"), trade_event(None), order_event("filled", "2")])
    assert progress.untold == 0


# --- the main thread's part ----------------------------------------------------------------


class Printed:
    """An output."""

    def __init__(self) -> None:
        self.told: list[AnyEvent] = []

    def write(self, events: Sequence[AnyEvent], /) -> None:
        self.told += events

    def close(self) -> None:
        """Nothing is held."""


def waiting(output: Printed | None, *, timeout: float = 300.0) -> _Wait:
    account = find("kraken")(seed=1, rate=1.0).account(BASE, {})
    progress = OrderProgress("A", Until.FILLED)
    return _Wait(environment(), progress, account, output, begin=100.0, timeout=timeout)


def test_the_end_waits_some_seconds_for_a_fill_that_is_still_to_come() -> None:
    wait = waiting(Printed())
    wait._take([order_event("open", "0"), order_event("filled", "2")])
    assert not wait._is_over(101.0)
    assert not wait._is_over(100.0 + LINGER)
    assert wait._is_over(101.0 + LINGER)
    wait._take([trade_event("2")])
    assert wait._is_over(102.0)


def test_the_wait_for_a_fill_keeps_the_time_limit() -> None:
    wait = waiting(Printed(), timeout=5.0)
    wait._take([order_event("open", "0"), order_event("filled", "2")])
    assert not wait._is_over(104.0)
    assert wait._is_over(105.0)


def test_who_sees_nothing_waits_for_no_fill() -> None:
    wait = waiting(None)
    wait._take([order_event("open", "0"), order_event("filled", "2")])
    assert wait._is_over(101.0)


def test_a_fill_that_did_not_come_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    wait = waiting(Printed())
    wait._take([order_event("open", "0"), order_event("filled", "2")])
    assert wait._conclude() is Exit.DONE
    assert "fills of 2 had not been told yet" in capsys.readouterr().err


def test_what_makes_the_view_incomplete_is_said_and_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Printed()
    told: dict[str, Any] = {"exchange": "kraken", "account": "desk", "source": "stream"}
    gap = {**dict.fromkeys(Gap.__struct_fields__), **told, "from_": "noon", "detail": "busy"}
    notice = {**dict.fromkeys(Notice.__struct_fields__), **told, "level": "warning", "text": "ouch"}
    waiting(output)._take([Gap(**{**gap, "complete": False}), Notice(**notice)])
    assert output.told == []
    said = capsys.readouterr().err
    assert "desk: not all fills since noon could be read back: busy" in said
    assert "desk: ouch" in said


def test_every_exchange_says_what_its_ids_look_like() -> None:
    import re  # noqa: PLC0415 - here alone

    for name in exchanges.names():
        form, example = exchanges.find(name).order_id_form
        assert re.fullmatch(form, example)
        for order in list(books(name).orders.values())[:50]:
            assert re.fullmatch(form, id_of(name, order)), name


def test_what_was_told_before_the_wait_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange told the order as filled; that REST is slow now is no reason to doubt it."""
    courses: list[OrderProgress] = []

    def begun(_environment: object, progress: OrderProgress, *_: object, **__: object) -> Any:
        courses.append(progress)
        raise InterruptedError

    monkeypatch.setattr(waiting_module, "_Wait", begun)
    account = World("kraken", limits=False).supervisor.exchange.account
    known = order_event("filled", "2")
    with pytest.raises(InterruptedError):
        waiting_module.follow(
            environment(),
            account,
            known.order_id,
            Until.FILLED,
            timeout=1,
            output=None,
            known=known,
        )
    assert courses[0].verdict is Exit.DONE

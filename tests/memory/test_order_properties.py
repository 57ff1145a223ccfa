"""Any permutation, repetition and delay of reports about one order: the end is the true end."""

from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from privstream.memory.ledger import Ledger
from privstream.model.events import TERMINAL, AnyEvent, Order, Trade
from privstream.model.reports import Fill, OrderReport
from privstream.model.times import from_micros
from tests.memory.test_ledger import TERMS
from tests.playbook import ledger

START = 1_790_000_000_000_000
SHOWN = ("status", "filled", "quantity", "price", "cost", "average_price")
Life = tuple[list[OrderReport], list[Fill]]


def at(step: int) -> str:
    return from_micros(START + step * 1_000_000)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """An order from its beginning to its end: amended, filled in parts, and what was told of it."""
    size, price = Decimal(10), Decimal(100)
    filled = cost = Decimal(0)
    reports, fills = [], []
    for step in range(draw(st.integers(1, 8))):
        what = draw(st.sampled_from(["amend", "fill", "fill", "nothing"]))
        if what == "amend":
            size = filled + draw(st.integers(1, 12))
            price = Decimal(draw(st.integers(90, 110)))
        elif what == "fill" and filled < size:
            part = Decimal(draw(st.integers(1, int(size - filled))))
            filled, cost = filled + part, cost + part * price
            fills.append(_fill(step, part, price))
        reports.append(_row("open", step, (size, price, filled, cost)))
        if filled == size:
            break
    status = "filled" if filled == size else draw(st.sampled_from(["canceled", "expired"]))
    reports.append(_row(status, 9, (size, price, filled, cost)))
    return reports, fills


def _row(status: str, step: int, amounts: tuple[Decimal, Decimal, Decimal, Decimal]) -> OrderReport:
    size, price, filled, cost = amounts
    stated: Any = {
        **TERMS,
        "status": status,
        "quantity": str(size),
        "price": str(price),
        "filled": str(filled),
        "cost": str(cost),
        "average_price": str(round(cost / filled, 8)) if filled else None,
    }
    return OrderReport("O1", stated, time=at(step))


def _fill(step: int, part: Decimal, price: Decimal) -> Fill:
    return Fill(
        trade_id=f"T{step}",
        order_id="O1",
        symbol="BTC/EUR",
        exchange_symbol="XBT/EUR",
        side="buy",
        price=str(price),
        quantity=str(part),
        cost=str(part * price),
        fee="0.1",
        fee_currency="EUR",
        time=at(step),
    )


def played(book: Ledger, reports: list[Any]) -> list[AnyEvent]:
    return [event for number, one in enumerate(reports) for event in book.take(one, at(number))]


@st.composite
def tellings(draw: st.DrawFn) -> tuple[Life, list[Any]]:
    """A life, and its reports in any order, some of them twice, over the stream and REST."""
    life = draw(lives())
    once = [*life[0], *life[1]]
    again = draw(st.lists(st.sampled_from(once), max_size=6))
    mixed = draw(st.permutations([*once, *again]))
    return life, [draw(st.sampled_from([one, _over_rest(one)])) for one in mixed]


def _over_rest(report: Any) -> Any:
    return replace(report, source="rest")


@given(tellings())
def test_whatever_the_order_of_the_telling(telling: tuple[Life, list[Any]]) -> None:
    (reports, fills), told = telling
    events = played(ledger(), told)
    ids = [event.id for event in events]
    assert len(ids) == len(set(ids))
    states = [event for event in events if isinstance(event, Order)]
    amounts = [Decimal(state.filled or "0") for state in states]
    assert amounts == sorted(amounts)
    assert {t.trade_id for t in events if isinstance(t, Trade)} == {f.trade_id for f in fills}
    _assert_true_end(states[-1], reports[-1])


def _assert_true_end(last: Order, truth: OrderReport) -> None:
    for key in SHOWN:
        said, true = getattr(last, key), truth.fields.get(key)
        same = said == true or (said and true and Decimal(said) == Decimal(str(true)))
        assert same, f"{key} is {said}, not {true}"


@given(lives())
def test_told_in_its_order_every_change_is_an_event_and_the_end_is_the_last(life: Life) -> None:
    reports, _ = life
    states = [event for event in played(ledger(), reports) if isinstance(event, Order)]
    changes = {_seen(report) for report in reports}
    assert len(states) >= len(changes) - 1  # the end may have shown with the last fill
    assert states[-1].status in TERMINAL
    assert all(state.status not in TERMINAL for state in states[:-2])


def _seen(report: OrderReport) -> tuple[object, ...]:
    return tuple(report.fields.get(key) for key in SHOWN)


@given(lives())
def test_what_is_emitted_adds_up_to_the_books(life: Life) -> None:
    reports, fills = life
    events = played(ledger(), [*reports, *fills, *reports, *fills])
    trades = [event for event in events if isinstance(event, Trade)]
    last = [event for event in events if isinstance(event, Order)][-1]
    total = sum((Decimal(trade.quantity or "0") for trade in trades), Decimal(0))
    assert total == Decimal(last.filled or "0")
    assert len(trades) == len(fills)


# --- partial reports, and look-ups -----------------------------------------------------------


def _partly(report: OrderReport, number: int, random: Random) -> OrderReport:
    """The same as news that state only what changed; the first one is whole."""
    if number == 0:
        return report
    fields: Any = report.fields
    keys = ["filled", "cost", "average_price"]
    if fields["status"] in TERMINAL or random.random() < 0.5:
        keys.append("status")
    stated: Any = {key: fields[key] for key in keys}
    return OrderReport("O1", stated, time=report.time)


def _never_amended(life: Life) -> Life:
    """Its size and price are the last ones from the beginning."""
    reports, fills = life
    last: Any = {key: reports[-1].fields[key] for key in ("quantity", "price")}
    return [replace(report, fields={**report.fields, **last}) for report in reports], fills


@given(lives(), st.randoms(use_true_random=False))
def test_partial_reports_in_any_order_with_their_look_ups(life: Life, random: Random) -> None:
    reports, fills = _never_amended(life)
    found = replace(reports[-1], source="rest")
    told: list[Any] = [_partly(report, n, random) for n, report in enumerate(reports)] + fills
    random.shuffle(told)
    book, events = ledger(), []
    for number, one in enumerate(told):
        events += book.take(one, at(number))
        if random.random() < 0.3:  # the look-up's answer may come at any time, or never
            events += [*book.take(found, at(number)), *book.settle(at(number))]
    events += [*book.take(found, at(99)), *book.settle(at(99))]
    ids = [event.id for event in events]
    states = [event for event in events if isinstance(event, Order)]
    amounts = [Decimal(state.filled or "0") for state in states]
    assert len(ids) == len(set(ids))
    assert amounts == sorted(amounts)
    _assert_true_end(states[-1], reports[-1])

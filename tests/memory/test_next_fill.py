"""The short way of one more fill changes nothing: the long way makes the same of it."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from privstream.memory.journal import Journal
from privstream.memory.ledger import Ledger
from privstream.memory.order_facts import OrderFacts
from privstream.model.exact import decode, encode
from privstream.model.reports import AnyReport, Fill, OrderReport
from privstream.model.times import from_micros
from tests.memory.test_ledger import TERMS
from tests.playbook import ledger

START = 1_790_000_000_000_000
LIVES, STEPS = 150, 40
OTHERS: dict[str, tuple[Any, ...]] = {
    "status": ("open", "partially_filled", "pending", "filled", "canceled", None),
    "exchange_status": ("open", "touched", None),
    "reason": ("user_requested", None),
    "price": ("50000.0", "50000.00", "49000", None),
    "quantity": ("100", "100.0", "12", None),
    "client_order_id": ("mine", None),
    "cost": ("1000.0", "1000", None),
    "average_price": ("50000.0", None),
    "fee": ("0.5", None),
    "remaining": ("7", None),
    "created": (from_micros(START), None),
}


def at(step: int) -> str:
    return from_micros(START + step * 1_000_000)


class Life:
    """Reports of one order, most of them of one more fill."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._fields: dict[str, Any] = {**TERMS, "quantity": "100", "status": "open"}
        self._filled = 0
        self._numbered = random.random() < 0.5

    def __iter__(self) -> Iterator[AnyReport | None]:
        """`None` is another connection."""
        for step in range(STEPS):
            if self._random.random() < 0.03:
                yield None
            if self._random.random() < 0.3:
                self._change()
            part = self._random.choice((0, 1, 1, 1, 1, 2, 5))
            self._filled += part
            if part and self._random.random() < 0.9:
                yield self._fill(step, part)
            yield self._report(step)

    def _change(self) -> None:
        key = self._random.choice(list(OTHERS))
        self._fields[key] = self._random.choice(OTHERS[key])
        if self._random.random() < 0.3:
            del self._fields[key]

    def _fill(self, step: int, part: int) -> Fill:
        fee = self._random.choice(("0.1", "0.10", "0", None))
        place: Any = ("BTC/EUR", "XBT/EUR", "buy", "50000.0", str(part), None, fee, "EUR")
        return replace(Fill(f"T{step}", "O1", *place), time=at(step))

    def _report(self, step: int) -> OrderReport:
        rare = self._random.random
        late = self._random.randrange(3) if rare() < 0.1 else 0
        fields: Any = {**self._fields, "filled": f"{max(self._filled - late, 0)}.0"}
        if rare() < 0.5:
            fields["cost"] = str(self._filled * 50000)
        return OrderReport(
            "O1",
            fields,
            rare() < 0.05,
            at(step - late) if rare() < 0.9 else None,
            self._random.choice(("rest", "snapshot")) if rare() < 0.05 else "stream",
            step - late if self._numbered else None,
            is_fixed=rare() < 0.01,
        )


def told(seed: int) -> list[Any]:
    """All events of a life, and all that is noted of it."""
    journal = Journal()
    book = Ledger(ledger().view, journal=journal)
    events: list[Any] = []
    for step, report in enumerate(Life(Random(seed))):
        if report is None:
            book.reconnected()
        else:
            events += map(encode, book.take(report, at(step)))
        events += map(encode, book.settle(at(step))) if step % 7 == 0 else ()
    notes = journal.take({*map(_id_of, events), None})
    orders = [decode(note.value or b"") for note in notes if note.kind == "order"]
    return [*events, *orders]


def _id_of(event: bytes) -> str:
    found: str = decode(event)["id"]
    return found


def test_the_short_way_tells_and_notes_what_the_long_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = 0
    short = OrderFacts.take_next_fill

    def counted(facts: OrderFacts, *args: Any) -> bool:
        nonlocal taken
        is_taken = short(facts, *args)
        taken += is_taken
        return is_taken

    monkeypatch.setattr(OrderFacts, "take_next_fill", counted)
    by_the_short_way = [told(seed) for seed in range(LIVES)]
    assert taken > 5 * LIVES
    monkeypatch.setattr(OrderFacts, "take_next_fill", lambda *_: False)
    for seed, found in enumerate(by_the_short_way):
        assert found == told(seed), f"the life {seed}"

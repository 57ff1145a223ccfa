"""A ledger that goes on where the last run's ended, and the notes that travel with its events."""

from collections.abc import Iterable
from queue import Queue
from typing import Any

import msgspec
import pytest

from privstream.delivery.stream import BATCH, EventBatch, Item, QueueOutlet, Whole
from privstream.memory import orders as orders_module
from privstream.memory.event_maker import View
from privstream.memory.journal import Journal, Note, backed
from privstream.memory.ledger import Ledger
from privstream.model.events import AnyEvent, Balance, Order, Position, Trade
from privstream.model.reports import AnyReport, BalanceReport, Fill, Listed, OrderReport
from tests.memory.test_ledger import NOW, TERMS, balance, delta, fill, order, position, told
from tests.playbook import like

CHANNELS = frozenset({"orders", "trades", "balances", "positions"})


class Chain:
    """Runs of one account, one after the other; what was delivered is remembered."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Note] = {}
        self.ids: list[str] = []

    def run(
        self, *reports: AnyReport | Listed, delivered: int | None = None, **view: Any
    ) -> list[AnyEvent]:
        """A run that takes these reports and delivers so many of its events, or all."""
        ledger, journal = self.begin(**view)
        events = told(ledger, *reports)
        events = events[:delivered]
        self.remember(journal.take({event.id for event in events}))
        self.ids += [event.id for event in events if event.id is not None]
        assert len(set(self.ids)) == len(self.ids)
        return events

    def begin(self, **view: Any) -> tuple[Ledger, Journal]:
        journal = Journal()
        settings = {"exchange": "kraken", "account": "kraken", "channels": CHANNELS, **view}
        ledger = Ledger(View(**settings), journal=journal)
        if self._kept:
            ledger.reconnected()
            ledger.restore((n.kind, n.key, n.value or b"") for n in self._kept.values())
        return ledger, journal

    def remember(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self._kept.pop((note.kind, note.key), None)
            if note.value is not None:
                self._kept[note.kind, note.key] = note


def test_what_a_run_told_the_next_does_not_tell_again() -> None:
    chain = Chain()
    reports = (
        order(source="snapshot", filled="0.4"),
        fill(),
        balance("1.0"),
        balance("2.0", wallet="spot/main", key="L1", change="1.0", source="stream"),
        position("1"),
    )
    assert len(chain.run(*reports)) == 5
    again = (reports[0], fill(source="rest"), balance("2.00"), *reports[3:])
    assert chain.run(*again) == []


def test_what_happened_in_between_is_read_back() -> None:
    chain = Chain()
    chain.run(order(source="snapshot"), balance("1.0"), position("1"))
    assert chain.run(
        fill(source="snapshot"),
        order("filled", source="snapshot", filled="1.00"),
        balance("0.5"),
        position("2", source="snapshot"),
    ) == [
        like(Trade, source="rest"),
        like(Order, source="rest", status="filled", fee=None),
        like(Balance, source="rest", total="0.5"),
        like(Position, source="rest", quantity="2"),
    ]


def test_a_state_that_returned_is_told_with_an_id_of_its_own() -> None:
    chain = Chain()
    for total in ("1", "2", "1", "2", "1"):
        assert len(chain.run(balance(total, "rest"))) == 1
    for price in ("50000", "51000", "50000", "51000"):
        assert len(chain.run(order(source="rest", price=price))) == 1
    for quantity in ("1", "2", "1"):
        assert len(chain.run(position(quantity))) == 1


def test_open_orders_of_the_last_run_are_suspects_of_the_next() -> None:
    chain = Chain()
    chain.run(order(client_order_id="mine"), OrderReport(order_id="O2", fields=ended()))
    ledger, _ = chain.begin()
    assert ledger.suspects == ledger.open_orders == {"O1"}
    assert told(ledger, delta("rest", status="canceled")) == [
        like(Order, status="canceled", client_order_id="mine", symbol="BTC/EUR", source="rest")
    ]


def ended() -> Any:
    return {**TERMS, "status": "canceled", "filled": "0"}


def test_a_late_answer_does_not_reopen_an_order_that_ended_in_the_run_before() -> None:
    chain = Chain()
    chain.run(order(), delta(status="filled", filled="1.00"))
    assert chain.run(order("open", source="rest", filled="0.4")) == []


def test_fees_are_summed_over_runs() -> None:
    chain = Chain()
    chain.run(order(fee_currency="EUR"), fill("T1"))
    events = chain.run(fill("T1", source="rest"), fill("T2", fee="8.05", quantity="0.1"))
    assert events == [like(Trade, trade_id="T2")]
    assert chain.run(delta(filled="0.5")) == [like(Order, fee="40.05", filled="0.5")]


def test_a_fill_that_was_not_told_counts_once_when_it_is() -> None:
    chain = Chain()
    assert len(chain.run(order(), fill("T1"), fill("T2", quantity="0.1"), delivered=1)) == 1
    events = chain.run(fill("T1"), fill("T2", quantity="0.1"), delta(filled="0.5"))
    assert events[-1] == like(Order, filled="0.5", fee="64.0")


def test_fills_of_an_order_whose_trades_are_not_told_do_not_count_twice() -> None:
    chain = Chain()
    chain.run(order(), fill("T1"), delta(filled="0.4"), channels=frozenset({"orders"}))
    assert chain.run(fill("T1", source="rest"), order(source="rest", filled="0.4")) == [
        like(Trade, trade_id="T1")
    ]


def test_what_was_cut_off_is_told_by_the_next_run() -> None:
    chain = Chain()
    reports = [fill(f"T{number}") for number in range(5)]
    assert len(chain.run(*reports, delivered=2)) == 2
    assert [event.id for event in chain.run(*reports)] == [f"kraken:trade:T{n}" for n in (2, 3, 4)]


def test_a_followed_total_is_known_to_the_next_run() -> None:
    chain = Chain()
    change: dict[str, Any] = {"wallet": "spot/main", "change": "0.5", "fee": "0.1", "key": "L1"}
    chain.run(balance("1.0"), balance("1.4", "stream", **change))
    assert chain.run(balance("1.40")) == []
    assert chain.run(Listed("balances")) == [like(Balance, total="0", wallet=None)]


def test_what_the_first_run_left_out_as_a_snapshot_is_no_news_in_the_next() -> None:
    chain = Chain()
    terms: Any = {**TERMS, "status": "open", "filled": "0"}
    other = OrderReport(order_id="O2", fields=terms, source="snapshot")
    shown = order(source="snapshot", filled="0.4")
    stood = (shown, other, balance("1.0"), fill(source="snapshot"))
    assert chain.run(*stood, snapshot=False) == []
    assert chain.run(*stood) == []


def test_what_was_hidden_by_symbol_or_channel_is_told_by_a_run_that_shows_it() -> None:
    chain = Chain()
    reports = (order(), fill(), balance("1.0"))
    assert chain.run(*reports, symbols=frozenset({"ETH/EUR"}), channels=frozenset({"trades"})) == []
    assert len(chain.run(*reports)) == 3


def test_an_ending_that_one_run_hid_is_told_by_the_next_that_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders_module, "ENDED", 3)
    monkeypatch.setattr(orders_module, "ENDED_MINUTES", 0)
    chain = Chain()
    chain.run(order())
    more = [OrderReport(order_id=f"X{n}", fields=ended()) for n in range(5)]
    hidden = (delta(status="canceled"), *more)
    assert chain.run(*hidden, symbols=frozenset({"ETH/EUR"})) == []
    assert chain.run(delta("rest", status="canceled")) == [like(Order, status="canceled")]


def test_history_from_before_the_first_run_stays_history() -> None:
    chain = Chain()
    ledger, journal = chain.begin()
    ledger.started = NOW
    told(ledger, fill("T0", time="2026-11-20T11:31:59.000000Z", source="snapshot"))
    chain.remember(journal.take(()))
    old = fill("T1", time="2026-11-20T11:31:58.000000Z", source="rest")
    new = fill("T2", time="2026-11-20T11:32:01.000000Z", source="rest")
    assert chain.run(old, new) == [like(Trade, trade_id="T2")]


def test_the_start_of_the_first_run_is_kept_whatever_a_later_run_takes_for_its_own() -> None:
    chain = Chain()
    ledger, journal = chain.begin()
    ledger.started = NOW
    ledger.started = "2026-11-20T11:32:00.500000Z"  # by the exchange's clock
    chain.remember(journal.take(()))
    ledger, journal = chain.begin()
    ledger.started = "2026-11-20T12:00:00.000000Z"
    chain.remember(journal.take(()))
    ledger, _ = chain.begin()
    assert ledger.started == "2026-11-20T11:32:00.500000Z"


def test_symbols_seen_are_known_to_the_next_run() -> None:
    chain = Chain()
    chain.run(fill())
    ledger, _ = chain.begin()
    assert ledger.symbols == {"XBT/EUR"}


def test_endings_told_long_ago_are_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_module, "ENDED", 3)
    monkeypatch.setattr(orders_module, "ENDED_MINUTES", 0)
    chain = Chain()
    endings = [OrderReport(order_id=f"X{n}", fields=ended(), source="rest") for n in range(8)]
    assert len(chain.run(*endings)) == 8
    kinds = [kind for kind, _ in chain._kept]
    assert (kinds.count("order"), kinds.count("forgotten")) == (3, 5)
    assert chain.run(*endings) == []


def test_an_order_whose_fill_came_first_is_not_forgotten_while_it_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders_module, "ENDED", 3)
    monkeypatch.setattr(orders_module, "ENDED_MINUTES", 0)
    chain = Chain()
    ledger, _ = chain.begin()
    told(ledger, fill(), order(filled="0.4"))
    for number in range(5):
        told(ledger, OrderReport(order_id=f"X{number}", fields=ended()))
    assert ledger.open_orders == {"O1"}


def test_what_closed_or_emptied_between_the_runs_is_told_by_the_list_that_leaves_it_out() -> None:
    chain = Chain()
    chain.run(position("1", entry_price="100"), balance("2", wallet="margin"))
    nothing: frozenset[tuple[str, str | None]] = frozenset()
    assert chain.run(Listed("positions", nothing), Listed("balances", nothing)) == [
        like(Position, status="closed", exchange_symbol="tBTCUSD", source="rest"),
        like(Balance, wallet="margin", total="0", source="rest"),
    ]


def test_fills_from_long_before_the_cursor_were_told() -> None:
    chain = Chain()
    ledger, _ = chain.begin()
    ledger.resume_from("2026-11-20T11:32:00.000000Z")
    ledger.started = None
    old = fill("T1", time="2026-11-19T10:00:00.000000Z", source="snapshot")
    new = fill("T2", time="2026-11-20T11:31:00.000000Z", source="snapshot")
    assert told(ledger, old, new) == [like(Trade, trade_id="T2", source="rest")]


def test_notes_of_the_first_version_are_known() -> None:
    ledger, _ = Chain().begin()
    terms = msgspec.json.encode({**TERMS, "status": "open", "filled": "0"}).decode()
    notes = {
        ("trade", "T1"): b"",
        ("order", "O1"): f'[{terms},"open:0:crc",{{"open:0:crc":2}},["0","0",null]]'.encode(),
        ("position", "7"): b"7:long:1:100:active",
        ("position_id", "kraken:position:7:long:1:100:active"): b"1",
        ("balance_id", "kraken:balance:BTC::1::"): b"1",
        ("balance", '["BTC",null]'): b'["1","",""]',
        ("total", "BTC"): b"1",
    }
    ledger.restore((kind, key, value) for (kind, key), value in notes.items())
    assert told(ledger, fill("T1", source="rest"), order(source="rest"), balance("1.0")) == []
    assert len(told(ledger, position("1", entry_price="100"))) == 1
    assert told(ledger, balance("2"), balance("1"))[-1].id == "kraken:balance:BTC::1:::3"


def test_without_a_journal_nothing_is_noted() -> None:
    ledger = Ledger(View(exchange="kraken", account="kraken", channels=CHANNELS))
    told(ledger, order(), fill(), balance("1"), position("1"))
    assert ledger._run.journal is None


# --- on the way to the main thread ---------------------------------------------------------


def trades(count: int) -> list[Fill]:
    return [fill(f"T{number}", order_id=None) for number in range(count)]


def test_notes_travel_behind_their_events_slice_by_slice() -> None:
    ledger, journal = Chain().begin()
    queue: Queue[Item | None] = Queue()
    outlet = QueueOutlet(queue, raw=False, account="kraken", journal=journal)
    outlet.events(told(ledger, *trades(BATCH + 3)))
    first, second = queue.get(), queue.get()
    assert isinstance(first, EventBatch)
    assert isinstance(second, EventBatch)
    assert (len(first.events), len(second.events)) == (BATCH, 3)
    for item in (first, second):
        noted = [note.event for note in item.notes if note.kind == "trade"]
        assert noted == [event.id for event in item.events]


def test_a_word_that_all_is_whole_comes_behind_the_events_and_not_too_often() -> None:
    ledger, journal = Chain().begin()
    queue: Queue[Item | None] = Queue()
    outlet = QueueOutlet(queue, raw=False, account="kraken", journal=journal)
    outlet.events(told(ledger, *trades(1)))
    outlet.whole(5)
    outlet.whole(6)
    items = [queue.get() for _ in range(queue.qsize())]
    assert [type(item) for item in items] == [EventBatch, Whole]
    assert items[1] == Whole("kraken", 5, [])


def test_without_resume_batches_are_what_they_were() -> None:
    ledger = Ledger(View(exchange="kraken", account="kraken", channels=CHANNELS))
    queue: Queue[Item | None] = Queue()
    outlet = QueueOutlet(queue, raw=False)
    events = told(ledger, *trades(2))
    outlet.events(events)
    outlet.whole(5)
    assert queue.get() is events
    assert queue.empty()


def test_a_note_waits_for_its_event_and_so_do_the_notes_behind_it() -> None:
    journal = Journal()
    journal.keep("trade", "T1", event="a")
    journal.keep("symbol", "XBT/EUR")
    journal.keep("trade", "T2", event="b")
    assert journal.take(()) == []
    assert [note.key for note in journal.take({"a"})] == ["T1", "XBT/EUR"]
    assert [note.key for note in backed(journal.take({"a", "b"}), {"b"})] == ["T2"]


def test_an_unlisted_balance_of_the_last_run_is_told_as_gone() -> None:
    chain = Chain()
    chain.run(BalanceReport(currency="X", exchange_currency="X", total="3", source="snapshot"))
    assert chain.run(balance("1"), Listed("balances")) == [
        like(Balance, currency="BTC", total="1", source="rest"),
        like(Balance, currency="X", total="0", source="rest"),
    ]

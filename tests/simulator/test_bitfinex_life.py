"""The simulated Bitfinex account: its margin wallet's life, its ids and its numbers."""

from decimal import Decimal

import pytest

from privstream.model.rest import Now
from privstream.simulator.bitfinex.margin import KEPT, Margin
from privstream.simulator.bitfinex.words import (
    MARGIN_CURRENCIES,
    MARGIN_PAIRS,
    PAIRS,
    number,
    sentence_number,
)
from tests.simulator.bitfinex_desk import START, Desk, rows


def test_numbers_are_written_as_javascript_writes_them() -> None:
    cases: list[tuple[str, str]] = [
        ("0", "0"),
        ("-0.000", "0"),
        ("113940.0", "113940"),
        ("95000", "95000"),
        ("0.000813551404", "0.000813551404"),
        ("0.000001", "0.000001"),
        ("-0.0000006", "-6e-7"),
        ("-0.000000052128", "-5.2128e-8"),
        ("1E+3", "1000"),
        ("0.500", "0.5"),
    ]
    for value, text in cases:
        assert number(Decimal(value)) == text


def test_in_sentences_a_whole_number_has_a_decimal() -> None:
    assert sentence_number(Decimal(113940)) == "113940.0"
    assert sentence_number(Decimal("-0.00008865")) == "-0.00008865"


def test_short_names_are_joined_long_ones_have_a_colon() -> None:
    codes = {pair.code for pair in (*PAIRS.values(), *MARGIN_PAIRS.values())}
    assert {"tBTCUSD", "tBTCUST", "tETHBTC", "tAVAX:USD", "tDOGE:USD", "tBTCF0:USTF0"} <= codes


def test_an_amount_below_a_millionth_is_really_sent_with_an_exponent() -> None:
    desk = Desk(limits=False)
    line = desk.logged_in()
    line.listen(200)
    assert any("e-" in text for text in line.texts if '"pu"' in text or '"tu"' in text)


def test_a_buyers_fee_is_a_share_of_what_was_bought_to_the_last_digit() -> None:
    desk = Desk()
    desk.logged_in().listen(60)
    shares = {True: Decimal("0.001"), False: Decimal("0.002")}
    sides = set()
    for trade in desk.books.trades.values():
        symbol, side = trade.order.symbol, trade.order.side
        got, currency = (trade.cost, symbol.quote)
        if side == "buy":
            got, currency = (trade.quantity, symbol.base)
        assert trade.fee == got * shares[trade.maker]
        assert trade.fee_currency == currency
        assert trade.cost == trade.quantity * trade.price
        booked = [desk.books.entries[name] for name in trade.entries]
        assert [e.fee for e in booked if e.currency == currency] == [trade.fee]
        assert [e.fee for e in booked if e.currency != currency] == [0]
        sides.add((side, trade.maker))
    assert len(sides) == 4


def margin(rate: float = 20.0) -> Margin:
    return Margin(seed=9, rate=rate)


def at(seconds: float) -> Now:
    return Now(START.wall_ns + round(seconds * 1e9), seconds)


def test_it_makes_no_difference_how_often_the_margin_wallet_is_looked_at() -> None:
    often, once = margin(), margin()
    often.advance(at(0))
    once.advance(at(0))
    moves = [move for step in range(400) for move in often.advance(at(step / 20))]
    assert moves == once.advance(at(399 / 20))
    assert often.balances == once.balances


@pytest.mark.usefixtures("own_past")
def test_a_restart_finds_the_same_position_and_the_same_balances() -> None:
    running, restarted = margin(), margin()
    running.advance(at(0))
    running.advance(at(100))
    restarted.advance(at(100))
    assert restarted.position == running.position
    assert restarted.balances == running.balances
    assert restarted.trades.items() <= running.trades.items()
    assert restarted.closed.items() <= running.closed.items()


def test_every_margin_balance_is_its_opening_plus_the_entries_since() -> None:
    life = margin()
    life.advance(at(60))
    balances = {code: currency.opening for code, currency in MARGIN_CURRENCIES.items()}
    for entry in life.entries.values():
        balances[entry.currency] += entry.amount - entry.fee
        assert entry.balance == balances[entry.currency]
    assert balances == life.balances


def test_what_a_position_brings_is_what_its_sales_brought_more_than_its_purchases_cost() -> None:
    life = margin()
    life.advance(at(60))
    booked = {e.reference: e.amount for e in life.entries.values() if e.type == "trade"}
    results = []
    for position in life.closed.values():
        trades = [
            trade
            for trade in life.trades.values()
            if position.created_ns <= trade.time_ns <= position.updated_ns
        ]
        paid = [t.cost if t.order.side == "sell" else -t.cost for t in trades]
        results.append(sum(paid, start=Decimal(0)))
        assert abs(results[-1] - sum(booked[t.trade_id] for t in trades)) < Decimal("1e-9")
    assert min(results) < 0 < max(results)


def test_no_two_ids_are_the_same_and_the_two_wallets_share_none() -> None:
    desk = Desk()
    desk.logged_in().listen(60)
    books, margin_life = desk.books, desk.bitfinex.margin
    assert not books.orders.keys() & margin_life.orders.keys()
    assert not books.trades.keys() & margin_life.trades.keys()
    lines = [line[0] for line in desk.post("r/ledgers/hist", limit=2500)]
    assert len(set(lines)) == len(lines) > 500


def test_the_past_of_the_margin_wallet_is_bounded() -> None:
    life = margin(rate=1000.0)
    life.advance(at(0))
    life.advance(at(0.4 * 2 * KEPT))
    assert 100 < len(life.closed) <= KEPT + 1
    assert len(life.orders) <= 5 * (KEPT + 1)


def test_the_tape_is_bounded_and_a_socket_that_keeps_up_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("privstream.simulator.bitfinex.tape.LONGEST", 200)
    desk = Desk(rate=40.0, limits=False)
    line = desk.logged_in(65536, filter=["trading"])
    frames = line.listen(10, step=0.1)
    tape = desk.bitfinex.tape
    assert tape.position > 1000
    assert len(tape.since(0)) <= 400
    numbers = [frame[3] for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    told = {str(row[0]) for row in rows(frames, "te")}
    first = min(row[2] for row in rows(frames, "te")) * 1_000_000
    lived = {t for t, trade in desk.books.trades.items() if trade.time_ns > first + 1_000_000}
    assert lived <= told

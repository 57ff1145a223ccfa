"""What Bitfinex tells of positions, and what of it is computed later."""

from typing import Any

import pytest

from privstream.model.events import Notice, Position
from privstream.model.reports import Listed, NoticeReport, PositionReport
from tests.exchanges.test_bitfinex_orders import actions
from tests.payloads.bitfinex.frames import (
    ALL,
    exchange,
    logged_in,
    numbered,
    position,
)
from tests.playbook import Playbook, ledger, like
from tests.valid import assert_valid


def test_a_position_is_told_with_its_side_and_what_is_computed() -> None:
    book = logged_in().receives(numbered([0, "pn", position()], 5))
    book.tells(
        like(
            Position,
            position_id="4711",
            symbol="ETH/USDT",
            side="short",
            quantity="0.25",
            entry_price="2500.5",
            liquidation_price=None,
            leverage=None,
            unrealized_pnl=None,
            status="active",
            sequence=5,
        )
    )
    assert_valid(book.events[-1])
    book.receives([0, "pu", position(amount=0.5, pl=-0.5, price_liq=2000, leverage=1.7e-7)])
    book.tells(
        like(
            Position,
            side="long",
            quantity="0.5",
            liquidation_price="2000",
            leverage="0.00000017",
            unrealized_pnl="-0.5",
        )
    )


def test_a_new_profit_alone_is_no_news() -> None:
    book = logged_in().receives([0, "pn", position()]).forget_events()
    book.receives([0, "pu", position(pl=-0.2)]).tells()


def test_a_closed_position_is_flat() -> None:
    book = logged_in().receives([0, "pn", position()]).forget_events()
    book.receives([0, "pc", position(status="CLOSED", amount=0)]).tells(
        like(Position, side="flat", quantity="0", status="closed", entry_price="2500.5")
    )


def test_a_position_without_an_amount_is_flat_and_bears_its_own_time() -> None:
    row = position(amount=0, mts_update=1_780_000_000_100)
    logged_in().receives(numbered([0, "pu", row], 1)).tells(
        like(Position, side="flat", status="closed", time="2026-05-28T20:26:40.100000Z")
    )


def test_a_closed_position_is_not_closed_again_by_a_list() -> None:
    book = logged_in().receives([0, "pn", position()], [0, "pc", position()]).forget_events()
    book.receives([0, "ps", []]).does(Listed("positions", frozenset())).nothing()
    book.receives([0, "ps", []]).tells()


def test_pc_is_the_end_whatever_its_row_says() -> None:
    logged_in().receives([0, "pc", position(pl=-0.1)]).tells(
        like(Position, side="flat", quantity="0", status="closed", unrealized_pnl=None)
    )


def test_a_position_that_a_new_connection_does_not_list_was_closed_meanwhile() -> None:
    bitfinex, book = exchange(), ledger("bitfinex")
    old = Playbook(bitfinex.session(None, ("positions",)), book)
    old.receives([0, "ps", [position(), position(symbol="tBTCUSD", id=4712)]]).forget_events()
    book.reconnected()
    new = Playbook(bitfinex.session(None, ("positions",)), book)
    new.receives([0, "ps", [position()]]).tells(
        like(Position, position_id="4712", side="flat", status="closed", source="rest")
    )
    new.receives([0, "ps", [position()]]).tells()


def test_what_a_list_closes_is_news_also_without_the_snapshot() -> None:
    book = Playbook(exchange().session(None, ALL), ledger("bitfinex", *ALL, snapshot=False))
    book.receives([0, "ps", [position()]]).tells()
    book.receives([0, "ps", []]).tells(like(Position, status="closed", source="stream"))


def test_a_list_that_cannot_be_read_whole_closes_nothing() -> None:
    book = logged_in().receives([0, "pn", position()]).forget_events()
    book.receives([0, "ps", ["junk"]]).tells(like(Notice, code="unrecognised"))
    book.receives([0, "ps", []]).tells(like(Position, status="closed"))


def test_an_odd_value_does_not_make_a_list_one_that_cannot_be_read() -> None:
    book = logged_in().receives([0, "pn", position()]).forget_events()
    row = position(symbol="tBTCUSD", id=4712, leverage=-1, price_liq=1)
    told = [like(Position, position_id="4712", leverage=None), like(Notice)]
    book.receives([0, "ps", [row]]).tells(*told, like(Position, position_id="4711", side="flat"))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"leverage": -0.00058690852}, {"leverage": None, "quantity": "0.25"}),
        ({"leverage": "x"}, {"leverage": None, "quantity": "0.25"}),
        ({"base_price": -1}, {"entry_price": None, "side": "short"}),
        ({"base_price": []}, {"entry_price": None, "side": "short"}),
        ({"price_liq": "x"}, {"liquidation_price": None, "side": "short"}),
        ({"pl": {}}, {"unrealized_pnl": None, "side": "short"}),
        ({"status": 7}, {"status": "unknown", "side": "short"}),
        ({"symbol": "fUSD"}, {"symbol": None, "exchange_symbol": "fUSD", "side": "short"}),
        ({"id": "x"}, {"position_id": None, "side": "short"}),
        ({"mts_update": "x"}, {"side": "short"}),
        ({"amount": None}, {"side": None, "quantity": None, "entry_price": "2500.5"}),
        ({"amount": "x"}, {"side": None, "quantity": None, "entry_price": "2500.5"}),
    ],
    ids=str,
)
def test_one_odd_value_of_a_position_is_null_and_the_position_told(
    changed: dict[str, Any], told: dict[str, Any]
) -> None:
    report, notice = actions(logged_in("positions").receives([0, "pn", position(**changed)]))
    assert report == like(PositionReport, **told)
    assert notice == like(NoticeReport, code="unrecognised")
    assert notice.once.startswith("position:")


def test_a_position_without_its_id_is_the_one_of_its_symbol() -> None:
    book = logged_in().receives([0, "pn", position()]).forget_events()
    book.receives([0, "pc", position(id=None, amount=0)])
    book.tells(like(Position, position_id="4711", side="flat"))
    book.receives([0, "ps", []]).tells()


# --- what is computed later --------------------------------------------------------------


def calc(item: str) -> list[Any]:
    return [0, "calc", None, [[item]]]


COMPUTED = {"pl": -0.5, "price_liq": 3100.5, "leverage": 0.5}


def test_a_liquidation_price_that_is_missing_is_asked_for_once() -> None:
    book = logged_in().receives([0, "pn", position()]).forget_events()
    book.after(1).sends(calc("position_tETHUST")).receives([0, "pu", position()])
    book.tells().after(5).nothing()
    book.receives([0, "pu", position(amount=-0.3)]).forget_events()
    book.after(1).sends(calc("position_tETHUST"))


def test_a_liquidation_price_that_comes_is_not_asked_for() -> None:
    book = logged_in().receives([0, "pn", position()], [0, "pu", position(**COMPUTED)])
    book.forget_events().after(5).nothing()
    below_zero = position(**{**COMPUTED, "price_liq": -3, "id": 4712})
    book.receives([0, "pn", below_zero]).forget_events().after(5).nothing()


def test_a_closed_position_is_not_asked_for() -> None:
    book = logged_in().receives([0, "pn", position()], [0, "pc", position(amount=0)])
    book.forget_events().after(5).nothing()


def test_nobody_is_asked_for_positions_that_are_not_streamed() -> None:
    logged_in("orders").receives([0, "pn", position()]).forget_events().after(5).nothing()


def relisted(**computed: float) -> Playbook:
    """A new connection that lists the position uncomputed, which an earlier one had computed."""
    bitfinex, book = exchange(), ledger("bitfinex")
    old = Playbook(bitfinex.session(None, ("positions",)), book)
    old.receives([0, "ps", []], [0, "pn", position(**{**COMPUTED, **computed})]).forget_events()
    book.reconnected()
    new = Playbook(bitfinex.session(None, ("positions",)), book)
    return new.receives([0, "ps", [position()]])


def test_a_list_that_repeats_a_position_without_what_was_computed_is_no_news() -> None:
    book = relisted().tells().after(1).sends(calc("position_tETHUST"))
    book.receives([0, "pu", position(**COMPUTED)]).tells().after(20).tells()

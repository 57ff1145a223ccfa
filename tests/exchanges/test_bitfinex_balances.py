"""Bitfinex's wallets, and how the available balance is asked for, as a dialogue."""

from typing import Any

import pytest

from privstream.model.events import Balance, Notice
from privstream.model.reports import Listed
from privstream.model.session import Send
from tests.payloads.bitfinex.frames import (
    SERVER_TIME,
    auth,
    exchange,
    logged_in,
    numbered,
    opened,
    order,
    wallet,
)
from tests.playbook import Playbook, ledger, like
from tests.rest_play import answer, play
from tests.valid import assert_valid

META = {"reason": "TRADE", "order_id": 1, "trade_price": "113940.0", "trade_amount": "-0.00008865"}
SENT = "2026-05-28T20:26:44.000000Z"  # SERVER_TIME in our spelling


def calc(*wallets: str) -> list[Any]:
    return [0, "calc", None, [[f"wallet_{wallet}"] for wallet in wallets]]


def test_a_wallet_is_told_as_it_is_stated_and_what_is_held_follows_from_it() -> None:
    assert SERVER_TIME == 1_780_000_004_000
    frame = numbered([0, "wu", wallet(739.025, 729.02, meta=META, text="Exchange 1 UST")], 4)
    book = logged_in().receives(frame)
    book.tells(
        like(
            Balance,
            currency="USDT",
            exchange_currency="UST",
            wallet="exchange",
            total="739.025",
            available="729.02",
            hold="10.005",
            change=None,
            reason="trade",
            source="stream",
            sequence=4,
            time=SENT,
        )
    )
    assert_valid(book.events[-1])


def test_the_same_currency_in_three_wallets_is_three_balances() -> None:
    rows = [wallet(3, 3, kind=kind) for kind in ("exchange", "margin", "funding")]
    opened().receives([0, "ws", rows]).tells(
        *(
            like(Balance, wallet=kind, currency="USDT", source="snapshot")
            for kind in ("exchange", "margin", "funding")
        )
    )


def test_an_empty_wallet_is_left_out_of_the_list_but_told_when_it_empties() -> None:
    opened().receives([0, "ws", [wallet(0, None)]]).tells()
    logged_in().receives([0, "wu", wallet(5, 5)], [0, "wu", wallet(0, None)]).tells(
        like(Balance, total="5"), like(Balance, total="0", available=None, hold=None)
    )


def test_the_digits_of_a_balance_survive() -> None:
    frame = '[0,"wu",["funding","BTC",0.000813551404,0,1.448229999994055e-3,null,null]]'
    logged_in().receives(frame).tells(
        like(
            Balance,
            total="0.000813551404",
            available="0.001448229999994055",
            exchange_currency="BTC",
        )
    )


def test_rows_may_be_short_as_of_old_and_a_list_one_flat_row() -> None:
    opened().receives([0, "ws", ["exchange", "ETH", 9, 0, None]]).tells(
        like(Balance, total="9", available=None)
    )


def test_a_row_that_cannot_be_read_hides_none() -> None:
    rows = [["exchange", None, 1], wallet(5, 5), ["exchange"], "junk", [7, "UST", 1]]
    unread = like(Notice, code="unrecognised")
    opened().receives([0, "ws", rows]).tells(
        unread, like(Balance, total="5"), unread, unread, unread
    )


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (2, None, {"total": None, "available": "4"}),
        (2, "much", {"total": None, "available": "4"}),
        (2, [], {"total": None, "available": "4"}),
        (4, {}, {"total": "10", "available": None}),
        (6, {"reason": 7}, {"total": "10", "reason": None}),
    ],
)
def test_one_odd_value_of_a_wallet_is_null_and_said_once(
    place: int, value: Any, told: dict[str, Any]
) -> None:
    row = wallet(10, 4)
    row[place] = value
    book = logged_in().receives([0, "wu", row])
    book.tells(like(Balance, currency="USDT", **told), like(Notice, code="unrecognised"))
    assert_valid(book.events[0])
    row[1] = "BTC"
    book.receives([0, "wu", row]).tells(like(Balance, currency="BTC", **told))


def test_the_meta_of_a_wallet_may_be_anything() -> None:
    metas: tuple[Any, ...] = ("{}", 7, [], True)
    for meta in metas:
        book = logged_in().receives([0, "wu", wallet(10, 4, meta=meta)])
        book.tells(like(Balance, reason=None), like(Notice, code="unrecognised"))


def test_what_is_not_computed_is_null_and_told_when_it_comes() -> None:
    book = logged_in().receives([0, "wu", wallet(10, None, meta=META)])
    book.tells(like(Balance, total="10", available=None, hold=None, reason="trade"))
    book.receives([0, "wu", wallet(10, 4, meta=META)])
    book.tells(like(Balance, total="10", available="4", hold="6", reason=None))
    book.after(5).nothing()


def test_a_missing_amount_is_asked_for_a_second_later() -> None:
    book = logged_in().receives([0, "wu", wallet(10, None)]).forget()
    book.receives([0, "wu", wallet(1, None, currency="BTC", kind="margin")]).forget()
    book.after(0.5).nothing().after(0.5).sends(calc("exchange_UST", "margin_BTC")).nothing()
    book.after(20).nothing()


def test_an_answer_that_lacks_the_amount_again_is_not_asked_for_again() -> None:
    book = logged_in().receives([0, "wu", wallet(10, None)]).forget().after(1)
    book.sends(calc("exchange_UST")).receives([0, "wu", wallet(10, None)]).forget()
    book.after(1).nothing().after(3).nothing()
    book.receives([0, "wu", wallet(11, None)]).forget().after(1).sends(calc("exchange_UST"))


def test_at_most_eight_are_asked_for_in_a_second() -> None:
    rows = [wallet(1, None, currency=f"C{number}") for number in range(20)]
    book = logged_in().receives(*([0, "wu", row] for row in rows)).forget()
    asked = []
    for _ in range(10):
        book.after(0.5)
        asked.append([action for action in book._pending if isinstance(action, Send)])
        book.forget()
    sizes = [sum(send.text.count("wallet_") for send in sends) for sends in asked]
    assert sizes == [0, 8, 0, 8, 0, 4, 0, 0, 0, 0]


def test_an_empty_wallet_is_not_asked_for() -> None:
    logged_in().receives([0, "wu", wallet(0, None)]).forget().after(5).nothing()


def test_nothing_is_asked_for_before_the_login_or_without_the_channel() -> None:
    opened().receives([0, "ws", [wallet(10, None)]]).forget().after(5).nothing()
    logged_in("orders").receives([0, "wu", wallet(10, None)]).forget().after(5).nothing()


@pytest.mark.parametrize(
    ("amount", "kind", "asked"),
    [
        (0.5, "EXCHANGE LIMIT", "exchange_UST"),
        (-0.5, "EXCHANGE STOP", "exchange_BTC"),
        (0.5, "LIMIT", None),
    ],
)
def test_an_order_reserves_balance_which_is_asked_for(
    amount: float, kind: str, asked: str | None
) -> None:
    row = order(amount=amount, amount_orig=amount, type=kind)
    book = logged_in("orders", "balances").receives([0, "on", row]).forget().after(1)
    if asked:
        book.sends(calc(asked))
    book.nothing()


def test_the_orders_listed_at_login_reserve_nothing_anew() -> None:
    book = opened("balances").receives(auth(), [0, "os", [order()]]).forget()
    book.after(5).nothing()


def test_a_change_since_the_question_is_asked_for_anew() -> None:
    book = logged_in().receives([0, "on", order()]).forget().after(1)
    book.sends(calc("exchange_UST")).receives([0, "oc", order(status="CANCELED")]).forget()
    book.receives([0, "wu", wallet(10, 4)]).forget().after(1).sends(calc("exchange_UST"))


# --- from one connection to the next ---------------------------------------------------


def reconnected(*rows: Any) -> Playbook:
    """A second connection, whose list is these rows, after one that told of 10 UST and 2 BTC."""
    bitfinex, book = exchange(), ledger("bitfinex", raw=True)
    first = Playbook(bitfinex.session(None, ("balances",)), book).opened()
    first.receives(auth(), [0, "ws", [wallet(10, 4), wallet(2, 2, currency="BTC")]]).told_now()
    book.reconnected()
    second = Playbook(bitfinex.session(None, ("balances",)), book).opened().forget()
    return second.receives(auth()).forget().receives([0, "ws", list(rows)])


BTC = wallet(2, 2, currency="BTC")


def test_a_list_that_repeats_what_is_known_is_no_news_but_for_what_is_available() -> None:
    book = reconnected(wallet(10, None), BTC).tells().after(1).sends(calc("exchange_UST"))
    book.receives([0, "wu", wallet(10, 4)]).tells()
    book.after(20).nothing()


def test_an_answer_ends_the_waiting_for_it() -> None:
    book = reconnected(wallet(10, None), BTC).tells().receives([0, "wu", wallet(10, 4)]).tells()
    book.receives([0, "on", order()]).forget().after(1).sends(calc("exchange_UST"))
    book.after(15).nothing()


def test_an_available_amount_that_changed_meanwhile_is_told() -> None:
    book = reconnected(wallet(10, None), BTC).tells()
    book.receives([0, "wu", wallet(10, 3)]).tells(like(Balance, total="10", available="3"))


def test_an_available_amount_that_nobody_tells_is_no_longer_known() -> None:
    book = reconnected(wallet(10, None), BTC).tells().after(1).sends(calc("exchange_UST"))
    book.after(9).nothing().after(1).tells(like(Balance, total="10", available=None, source="rest"))


def test_a_total_that_changed_meanwhile_is_read_back() -> None:
    reconnected(wallet(9, None), BTC).tells(like(Balance, total="9", available=None, source="rest"))


def test_a_wallet_that_is_not_listed_any_more_is_empty() -> None:
    book = reconnected(wallet(10, 4)).tells(
        like(Balance, currency="BTC", wallet="exchange", total="0", source="rest")
    )
    assert_valid(book.events[-1])
    book.receives([0, "ws", [wallet(10, 4)]]).does(
        like(object, total="10", source="stream"),
        Listed("balances", frozenset({("USDT", "exchange"), ("UST", "exchange")})),
    )


def test_a_wallet_whose_currency_has_got_another_name_meanwhile_is_not_empty() -> None:
    bitfinex, book = exchange(), ledger("bitfinex")
    first = Playbook(bitfinex.session(None, ("balances",)), book)
    first.receives([0, "ws", [wallet(10, 4, currency="NEW")]])
    first.tells(like(Balance, currency="NEW", total="10"))
    play(
        bitfinex.balances_now(),
        lambda call, _: answer([[["NEW", "Newer"]]] if "conf" in call.name else []),
    )
    book.reconnected()
    second = Playbook(bitfinex.session(None, ("balances",)), book)
    second.receives([0, "ws", [wallet(10, 4, currency="NEW")]])
    second.tells(like(Balance, currency="NEWER", total="10"))


def test_a_list_that_cannot_be_read_whole_empties_no_wallet() -> None:
    reconnected(wallet(10, 4), "junk").tells(like(Notice, code="unrecognised"))

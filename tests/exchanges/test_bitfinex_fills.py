"""Bitfinex's fills: `te` waits for `tu`, then REST is asked, then it is told without a fee."""

from typing import Any

import pytest

from privstream.model.errors import Refused
from privstream.model.events import Notice, Order, Trade
from privstream.model.reports import Fill, Known
from privstream.model.rest import Call, HttpRequest, HttpResponse
from privstream.model.session import Ask
from tests.payloads.bitfinex.frames import (
    FEE,
    LISTS,
    ORDER_ID,
    TRADE_ID,
    auth,
    exchange,
    logged_in,
    numbered,
    opened,
    order,
    trade,
)
from tests.playbook import Playbook, ledger, like
from tests.rest_play import answer, play
from tests.valid import assert_valid

NAME = f"bitfinex:trade:tBTCUST:{TRADE_ID}:{ORDER_ID}"
KNOWN = Known(
    since_ns=1_780_000_000_000_000_000,
    until_ns=1_780_000_010_000_000_000,
    channels=("trades",),
)


def asked(book: Playbook) -> Ask:
    """What the session wants read over REST now, which is all it wants."""
    action = book._pending.popleft()
    assert isinstance(action, Ask)
    book.nothing()
    return action


def answered(book: Playbook, rows: Any, status: int = 200) -> Playbook:
    """The session's question is put to REST; what it told of is told by the session."""

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        assert call.name == "auth/r/trades/hist"
        assert request.path == "/v2/auth/r/trades/hist"
        return answer(rows, status)

    assert play(asked(book).flow, reply) == ()
    return book.after(0)


def test_te_is_held_and_tu_is_told_once_and_complete() -> None:
    book = logged_in().receives(numbered([0, "te", trade()], 1)).tells()
    book.receives(numbered([0, "tu", trade(**FEE)], 2)).tells(
        like(
            Trade,
            id=f"bitfinex:trade:tBTCUST:{TRADE_ID}:{ORDER_ID}",
            trade_id=str(TRADE_ID),
            order_id=str(ORDER_ID),
            client_order_id="1780000000077",
            symbol="BTC/USDT",
            exchange_symbol="tBTCUST",
            side="buy",
            order_type="limit",
            liquidity="taker",
            price="59999.5",
            quantity="0.2",
            cost="11999.90",
            fee="0.0004",
            fee_currency="BTC",
            estimated=(),
            source="stream",
            sequence=2,
            time="2026-05-28T20:26:43.250000Z",
        )
    )
    assert_valid(book.events[-1])
    book.receives([0, "tu", trade(**FEE)], [0, "te", trade()]).tells()
    book.after(60).forget_events()
    assert [type(event) for event in book.events] == [Trade]


def test_a_te_with_its_fee_is_told_at_once() -> None:
    logged_in().receives([0, "te", trade(**FEE)]).tells(like(Trade, fee="0.0004"))


def test_tu_may_come_first_or_alone() -> None:
    logged_in().receives([0, "tu", trade(**FEE)], [0, "te", trade()]).tells(like(Trade))


def test_the_digits_of_a_fee_survive() -> None:
    frame = (
        f'[0,"tu",[{TRADE_ID},"tBTCUSD",1780000003250.25,{ORDER_ID},-0.00008688,113950.10,'
        '"EXCHANGE MARKET",0,1,-5.2128e-8,"UST",0]]'
    )
    logged_in().receives(frame).does(
        like(
            Fill,
            side="sell",
            quantity="0.00008688",
            price="113950.10",
            cost="9.8999846880",
            fee="0.000000052128",
            fee_currency="USDT",
            liquidity="maker",
            client_order_id=None,
        )
    )


@pytest.mark.parametrize(("fee", "told"), [(-0.5, "0.5"), (0.5, "-0.5"), (0, "0")])
def test_a_fee_is_what_was_charged_and_a_rebate_is_negative(fee: float, told: str) -> None:
    logged_in().receives([0, "tu", trade(fee=fee, fee_currency="USD")]).does(like(Fill, fee=told))


@pytest.mark.parametrize("maker", [0, None, False])
def test_a_liquidity_that_is_not_told_is_unknown(maker: Any) -> None:
    row = trade(maker=maker, **FEE)
    logged_in().receives([0, "tu", row]).does(like(Fill, liquidity=None))


def test_both_sides_of_one_trade_may_be_ours() -> None:
    other = trade(order_id=77, amount=-0.2, **FEE)
    logged_in().receives([0, "tu", trade(**FEE)], [0, "tu", other]).tells(
        like(Trade, side="buy"), like(Trade, side="sell", order_id="77")
    )


def test_the_fee_of_an_order_is_the_sum_of_its_fills() -> None:
    book = logged_in().receives([0, "te", trade(amount=0.5)])
    book.receives([0, "tu", trade(amount=0.5, **FEE)]).forget_events()
    row = order(amount=0, status="EXECUTED @ 59999.5(0.5)", price_avg=59999.5)
    book.receives([0, "oc", row]).tells(
        like(Order, status="filled", fee="0.0004", fee_currency="BTC")
    )


def test_tu_within_three_seconds_asks_nobody() -> None:
    book = logged_in().receives([0, "te", trade()]).after(2.5).nothing()
    book.receives([0, "tu", trade(**FEE)]).forget().after(5).nothing()


def test_a_tu_that_does_not_come_is_read_over_rest() -> None:
    book = logged_in().receives([0, "te", trade()]).after(3)
    answered(book, [trade(**FEE), trade(id=5, **FEE)]).tells(
        like(Trade, trade_id=str(TRADE_ID), fee="0.0004", source="stream")
    )
    book.receives([0, "tu", trade(**FEE)]).tells()
    book.after(30).forget_events()
    assert len(book.events) == 1


def test_rest_is_asked_from_the_oldest_waiting_fill_on() -> None:
    book = logged_in().receives([0, "te", trade(id=2, mts=1_780_000_002_500)])
    book.receives([0, "te", trade(id=1, mts=1_780_000_002_000)]).after(3)
    bodies = []

    def reply(call: Call, request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - as `play` calls it
        bodies.append(request.body)
        return answer([])

    play(asked(book).flow, reply)
    assert bodies == [b'{"start":1780000001000,"limit":1000,"sort":1}']


def test_rest_that_lags_is_asked_again() -> None:
    book = logged_in().receives([0, "te", trade()]).after(3)
    answered(book, []).nothing().after(1).nothing().after(2)
    answered(book, [trade(**FEE)]).tells(like(Trade, fee="0.0004"))


def test_a_row_without_its_fee_is_waited_for_too() -> None:
    book = logged_in().receives([0, "te", trade()]).after(3)
    answered(book, [trade()]).nothing().receives([0, "tu", trade(**FEE)]).tells(
        like(Trade, fee="0.0004", source="stream")
    )


def test_a_fill_whose_fee_nobody_tells_is_told_without() -> None:
    book = logged_in().receives(numbered([0, "te", trade()], 9)).after(3)
    answered(book, []).after(3)
    answered(book, []).after(3)
    book.tells(like(Trade, fee=None, fee_currency=None, price="59999.5", sequence=9))
    assert_valid(book.events[-1])
    book.after(60).tells().receives([0, "tu", trade(**FEE)]).tells()


def test_a_fill_is_told_without_its_fee_where_rest_refuses() -> None:
    book = logged_in().receives([0, "te", trade()]).after(3)
    with pytest.raises(Refused):
        answered(book, ["error", 10001, "no"], status=500)
    book.after(6).tells(like(Trade, fee=None))


def test_a_question_that_is_put_late_asks_nothing_any_more() -> None:
    book = logged_in().receives([0, "te", trade()]).after(3)
    flow = asked(book).flow
    book.receives([0, "tu", trade(**FEE)]).forget()
    assert play(flow, lambda *_: answer("must not be asked")) == ()


def test_an_answer_that_comes_after_giving_up_is_no_second_fill() -> None:
    book = logged_in().receives([0, "te", trade()]).after(3)
    flow = asked(book).flow
    call = next(flow)
    assert call.name == "auth/r/trades/hist"
    book.after(7).tells(like(Trade, fee=None))
    with pytest.raises(StopIteration):
        flow.send(answer([trade(**FEE)]))
    book.after(1).tells()


def test_bare_frames_have_no_login_and_their_fills_are_told_all_the_same() -> None:
    book = Playbook(exchange().session(None, ("trades",)), ledger("bitfinex"))
    book.receives([0, "te", trade()]).after(10).tells(like(Trade, fee=None))


def test_a_fill_takes_its_type_from_its_order_and_its_time_from_the_frame() -> None:
    row = trade(type=None, mts=0, **FEE)
    book = logged_in().receives([0, "on", order(type="EXCHANGE IOC")]).forget_events()
    book.receives(numbered([0, "tu", row], 1)).tells(
        like(Trade, order_type="limit", time="2026-05-28T20:26:44.000000Z")
    )
    logged_in().receives([0, "tu", row]).does(like(Fill, order_type=None, time=None))


def test_nobody_is_asked_for_trades_that_are_not_streamed() -> None:
    logged_in("orders").receives([0, "te", trade()]).after(3).nothing()


def test_a_fill_that_waits_outlives_its_connection() -> None:
    bitfinex = exchange()
    logged_in(of=bitfinex).receives([0, "te", trade()])
    opened(of=bitfinex).after(9).tells(like(Trade, trade_id=str(TRADE_ID), fee=None))


def test_a_fill_in_the_instant_of_the_login_is_news_though_only_rest_knows_its_fee() -> None:
    book = opened().receives(auth(), *LISTS, [0, "te", trade()]).forget()
    book.ledger.started = "2026-05-28T20:26:43.900000Z"  # as when the whole read was taken
    book.after(3)
    answered(book, [trade(**FEE)]).tells(like(Trade, fee="0.0004", source="stream"))


def test_a_fill_of_a_clock_behind_ours_is_not_taken_for_history() -> None:
    early = trade(mts=1_779_999_000_000)
    book = logged_in()
    book.ledger.started = "2026-05-28T20:26:40.000000Z"
    book.receives([0, "te", early]).after(3)
    answered(book, [trade(mts=1_779_999_000_000, **FEE)]).tells(
        like(Trade, fee="0.0004", source="stream")
    )


@pytest.mark.parametrize(
    "junk",
    [
        trade(id="x"),
        trade(id=None),
        trade(symbol=None),
        trade(symbol=7),
        "junk",
    ],
    ids=str,
)
def test_a_fill_without_a_name_is_a_notice(junk: list[Any]) -> None:
    logged_in().receives([0, "tu", junk]).does(like(object, code="unrecognised")).nothing()


@pytest.mark.parametrize(
    ("changed", "nulls"),
    [
        ({"order_id": None}, ("order_id",)),
        ({"order_id": "soon"}, ("order_id",)),
        ({"amount": 0}, ("side", "quantity", "cost")),
        ({"amount": None}, ("side", "quantity", "cost")),
        ({"price": -1}, ("price", "cost")),
        ({"price": []}, ("price", "cost")),
        ({"type": 7}, ("order_type",)),
        ({"maker": "both"}, ("liquidity",)),
        ({"fee_currency": {}}, ("fee_currency",)),
        ({"cid": True}, ("client_order_id",)),
        ({"mts": "soon"}, ("time",)),
    ],
    ids=str,
)
def test_one_odd_value_of_a_fill_is_null_and_said_once(
    changed: dict[str, Any], nulls: tuple[str, ...]
) -> None:
    book = logged_in().receives([0, "tu", trade(**{**FEE, **changed})])
    odd = dict.fromkeys(nulls)
    usual = {"trade_id": str(TRADE_ID), "fee": "0.0004", "symbol": "BTC/USDT", "price": "59999.5"}
    book.tells(like(Trade, **{**usual, **odd}), like(Notice, level="warning", code="unrecognised"))
    assert_valid(book.events[0])
    book.receives([0, "tu", trade(**{**FEE, **changed, "id": 5})]).tells(like(Trade, trade_id="5"))


def test_an_odd_symbol_is_told_as_it_stands() -> None:
    book = logged_in().receives([0, "tu", trade(symbol="tBTC", **FEE)])
    book.tells(like(Trade, symbol=None, exchange_symbol="tBTC"), like(Notice))


def test_a_te_without_its_order_is_completed_by_tu() -> None:
    book = logged_in().receives([0, "te", trade(order_id=None)], [0, "tu", trade(**FEE)])
    book.tells(like(Notice), like(Trade, order_id=str(ORDER_ID), id=NAME))
    book.after(30).tells()


def test_a_tu_without_its_order_is_completed_by_te() -> None:
    book = logged_in().receives([0, "te", trade()], [0, "tu", trade(order_id=None, **FEE)])
    book.tells(like(Trade, order_id=str(ORDER_ID), id=NAME), like(Notice))
    book.after(30).tells()


def test_a_fill_without_its_order_is_completed_by_rest() -> None:
    book = logged_in().receives([0, "te", trade(order_id=None)]).forget_events().after(3)
    answered(book, [trade(**FEE)]).tells(like(Trade, order_id=str(ORDER_ID), fee="0.0004", id=NAME))


@pytest.mark.parametrize("odd", ["btcust", "tBTC", " tBTCUST", "x"])
def test_a_misspelt_symbol_makes_no_second_fill(odd: str) -> None:
    for te, tu in ((odd, "tBTCUST"), ("tBTCUST", odd)):
        book = logged_in().receives([0, "te", trade(symbol=te)], [0, "tu", trade(symbol=tu, **FEE)])
        book.told_now().after(30).told_now()
        [fill] = [event for event in book.events if isinstance(event, Trade)]
        assert fill == like(Trade, symbol="BTC/USDT", fee="0.0004", id=NAME)


def test_one_id_on_two_markets_is_two_fills() -> None:
    rows = [trade(**FEE), trade(symbol="tETHUST", **FEE), trade(symbol="tODD", order_id=7, **FEE)]
    book = logged_in().receives([0, "tu", rows]).told_now()
    assert len([event for event in book.events if isinstance(event, Trade)]) == 3


@pytest.mark.parametrize("later", ["te", "tu"])
@pytest.mark.parametrize(("first", "second"), [(None, ORDER_ID), (ORDER_ID, None)])
def test_a_fill_told_without_its_order_or_with_it_is_not_told_again(
    first: int | None, second: int | None, later: str
) -> None:
    bitfinex = exchange()
    book = logged_in(of=bitfinex).receives([0, "tu", trade(order_id=first, **FEE)]).told_now()
    row = trade(order_id=second, **(FEE if later == "tu" else {}))
    book.receives([0, later, row]).told_now().after(30).told_now()
    found = play(
        bitfinex.backfill(KNOWN),
        lambda call, _: answer([trade(order_id=second, **FEE)] if "trades" in call.name else []),
    )
    for report in found.reports:
        book.events += book.ledger.take(report, "2026-05-28T20:26:50.000000Z")
    assert len([event for event in book.events if isinstance(event, Trade)]) == 1


def test_two_orders_of_one_odd_trade_are_two_fills() -> None:
    rows = [trade(amount=0, **FEE), trade(amount=0, order_id=77, **FEE)]
    book = logged_in().receives([0, "tu", rows]).told_now()
    assert len([event for event in book.events if isinstance(event, Trade)]) == 2


def test_a_fill_of_which_only_the_name_can_be_read_is_completed_by_rest() -> None:
    book = logged_in().receives([0, "tu", trade()[:3] + [None] * 9]).told_now().after(3)
    answered(book, [trade(**FEE)]).told_now()
    book.receives([0, "tu", trade(**FEE)]).told_now().after(30).told_now()
    (told,) = [event for event in book.events if isinstance(event, Trade)]
    assert told == like(Trade, quantity="0.2", fee="0.0004", id=NAME)


def test_a_self_trade_whose_rows_leave_out_their_orders_is_two_fills() -> None:
    sides = [trade(order_id=None, **FEE), trade(order_id=None, amount=-0.2, **FEE)]
    book = logged_in().receives([0, "tu", sides]).told_now()
    book.receives([0, "tu", [trade(**FEE), trade(order_id=77, amount=-0.2, **FEE)]]).told_now()
    told = [event for event in book.events if isinstance(event, Trade)]
    assert [event.side for event in told] == ["buy", "sell"]

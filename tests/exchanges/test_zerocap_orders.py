"""Zerocap's orders and fills in both dialects, through the session and the ledger."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from privstream.exchanges.zerocap.elements import read_fill, read_order_push
from privstream.exchanges.zerocap.session import ZerocapSession
from privstream.model.events import Notice, Order, Trade
from privstream.model.exact import Number, decode, encode
from privstream.model.reports import AnyReport, Fill, NoticeReport, OrderReport
from privstream.model.rest import Call, RestFlow
from privstream.model.session import Ask
from tests.playbook import Playbook, ledger, like
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zerocap"
ORDER = "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a01"
TRADE = "5d7e1f44-8e3a-4c0b-b1d2-66aa77bb8801"
DIALECTS = pytest.mark.parametrize("dialect", ["old", "new"])
NAME = b"Ann Example"


def asked(what: str) -> RestFlow[tuple[AnyReport, ...]]:
    """A flow that is never run here: which one it is shows in its call."""
    yield Call(build=lambda _: pytest.fail("not run"), name=what)
    return ()


def look_up(order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
    return asked(" ".join(order_ids))


def session() -> ZerocapSession:
    return ZerocapSession(
        ("orders", "trades"), (), read_balances=lambda: asked("balances"), look_up=look_up
    )


def book(*, raw: bool = False) -> Playbook:
    return Playbook(session(), ledger("zerocap", raw=raw))


def frames(dialect: str) -> list[str]:
    """An order, its fill on the trade channel, and the order again with the fill in it."""
    return (PAYLOADS / f"stream_{dialect}.jsonl").read_text().splitlines()


def order(**changed: Any) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(frames("new")[0])
    frame["data"] |= changed
    return frame


def fill(**changed: Any) -> dict[str, Any]:
    element: dict[str, Any] = json.loads(frames("new")[1])["data"]
    return element | changed


# --- a life, in both dialects ----------------------------------------------------------


@DIALECTS
def test_an_order_is_told_open_and_filled_with_one_trade_between(dialect: str) -> None:
    played = book().receives(*frames(dialect))
    terms = {"order_id": ORDER, "symbol": "USDT/AUD", "side": "buy", "quantity": "250.50"}
    played.tells(
        like(
            Order,
            **terms,
            time="2026-05-28T20:26:41.000000Z",
            created="2026-05-28T20:26:41.000000Z",
            status="open",
            exchange_status="open",
            order_type="limit",
            time_in_force="fok",
            price="1.6",
            stop_price=None,
            client_order_id=None,
            filled="0",
            remaining="250.50",
            cost="0",
            average_price=None,
            fee="0",
            reason=None,
        ),
        like(
            Trade,
            id=f"zerocap:trade:{TRADE}",
            time="2026-05-28T20:26:42.000000Z",
            trade_id=TRADE,
            **(terms | {"quantity": "250.50"}),
            order_type="limit",
            liquidity="taker",
            price="1.55012",
            cost="388.305",
            fee="0.25",
            fee_currency=None,
            estimated=(),
        ),
        like(
            Order,
            **terms,
            time="2026-05-28T20:26:42.000000Z",
            status="filled",
            exchange_status="closed",
            filled="250.50",
            remaining="0",
            cost="388.305",
            average_price="1.55012",
            fee="0.25",
        ),
    )
    for event in played.events:
        assert_valid(event)


def test_both_dialects_give_the_same_events() -> None:
    old, new = (book().receives(*frames(dialect)).told_now().events for dialect in ("old", "new"))
    assert old == new


@DIALECTS
def test_a_fill_told_on_two_channels_is_one_trade_in_either_order(dialect: str) -> None:
    opened, traded, closed = frames(dialect)
    for messages in ([opened, closed, traded, closed], [traded, closed], [closed, traded, traded]):
        events = book().receives(*messages).told_now().events
        assert [e.fee for e in events if isinstance(e, Trade)] == ["0.25"]


def test_an_order_repeats_old_fills_and_they_are_no_news() -> None:
    """The connection was opened at 20:26:40; what was filled earlier REST tells."""
    old = fill(id="T-old", amount=1, timestamp=1_779_990_000_000)
    frame = order(filled=2, trades=[old, fill(amount=1)])
    played = Playbook(session(), ledger("zerocap")).opened().receives(frame)
    played.tells(like(Trade, trade_id=TRADE, source="stream"), like(Order, filled="2"))


# --- the fee that comes later ------------------------------------------------------------


def test_a_fill_without_its_fee_waits_for_the_order_that_has_it() -> None:
    opened, traded, closed = frames("old")
    played = book().receives(opened).forget_events().receives(traded).nothing().after(3.5)
    played.nothing().receives(closed)
    played.tells(like(Trade, trade_id=TRADE, fee="0.25"), like(Order, status="filled"))
    played.after(5).nothing()


def test_after_four_seconds_rest_is_asked_for_the_fee_and_then_it_is_told_without() -> None:
    played = book().receives(frames("old")[1]).after(4)
    played.does(like(Ask, what=f"the fee of trade {TRADE}")).nothing()
    played.after(0.5).nothing().after(0.5)
    played.tells(like(Trade, trade_id=TRADE, fee=None, liquidity="taker", cost="388.305"))
    played.after(10).receives(frames("old")[1]).after(10).nothing()


def test_the_question_for_the_fee_names_the_order() -> None:
    played = book().receives(frames("old")[1]).after(4)
    asked_for = played._next("the question")
    assert isinstance(asked_for, Ask)
    assert next(asked_for.flow).name == ORDER


def test_a_fill_of_no_order_is_told_without_asking() -> None:
    lonely = {"type": "trade", "data": fill(fee=None, order="")}
    book().receives(lonely).after(4).nothing().after(1).tells(like(Trade, order_id=None, fee=None))


def test_a_fee_that_comes_after_the_trade_was_told_makes_no_second_trade() -> None:
    _, traded, closed = frames("old")
    played = book().receives(traded).after(4).after(1).forget_events().receives(closed)
    played.tells(like(Order, status="filled"))


def test_a_fee_of_zero_is_a_fee() -> None:
    book().receives({"type": "trade", "data": fill(fee=0)}).tells(like(Trade, fee="0"))


# --- statuses and amounts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "filled", "status"),
    [
        ("open", 0, "open"),
        ("open", 0.5, "partially_filled"),
        ("closed", 250.5, "filled"),
        ("closed", "250.500", "filled"),
        ("closed", 0.5, "canceled"),
        ("closed", 0, "canceled"),
        ("canceled", 0, "canceled"),
        ("rejected", 0, "rejected"),
        ("expired", 0, "expired"),
        ("Suspended", 0, "unknown"),
    ],
)
def test_closed_is_filled_when_all_of_it_was_and_else_canceled(
    said: str, filled: object, status: str
) -> None:
    book().receives(order(status=said, filled=filled)).tells(
        like(Order, status=status, exchange_status=said)
    )


def test_an_order_that_is_closed_without_its_amounts_is_not_called_filled() -> None:
    frame = order(status="closed")
    del frame["data"]["filled"]
    book().receives(frame).tells(like(Order, status="unknown", filled=None))


def test_the_reason_is_the_exchange_s_own_text() -> None:
    book().receives(order(status="closed", error_message="Insufficient balance.")).tells(
        like(Order, status="canceled", reason="Insufficient balance.")
    )


def test_the_time_of_a_cancellation_is_told_only_where_it_is_known() -> None:
    at_once = "2026-05-28T20:26:41.000000Z"
    book().receives(order(status="closed")).tells(like(Order, time=at_once))
    book().receives(order(status="closed", time_in_force="GTC")).tells(
        like(Order, time=None, created=at_once)
    )


def test_what_an_order_cost_is_not_price_times_amount() -> None:
    """The stream says so also of an order of which nothing was filled."""
    part = {"filled": 100, "remaining": 150.5, "average": 1.55}
    fills = [fill(id="T1", amount=40, cost=62.001), fill(id="T2", amount=60, cost=92.999)]
    for trades, cost in ((fills, "155.000"), (fills[:1], "155.00"), ([], "155.00")):
        played = book().receives(order(**part, trades=trades)).told_now()
        assert played.events[-1] == like(Order, cost=cost, average_price="1.55")
    book().receives(order(filled=100, remaining=150.5)).tells(like(Order, cost=None))


def test_every_digit_survives() -> None:
    text = frames("new")[1].replace("250.50", "0.12345678901234567890").replace("0.25", "1e-8")
    book().receives(text).tells(like(Trade, quantity="0.12345678901234567890", fee="0.00000001"))


def test_the_client_order_id_of_an_order_is_also_that_of_its_fills() -> None:
    frame = order(client_order_id="desk-7", filled=1, trades=[fill(amount=1)])
    book().receives(frame).tells(
        like(Trade, client_order_id="desk-7"), like(Order, client_order_id="desk-7")
    )


@pytest.mark.parametrize("trades", [None, "", {}, [], "[]", "null"])
def test_no_fills_come_in_many_shapes(trades: object) -> None:
    book().receives(order(trades=trades)).tells(like(Order, status="open"))


@pytest.mark.parametrize(
    "trades", [[fill()], fill(), {TRADE: fill()}, json.dumps([fill()]), json.dumps(fill())]
)
def test_fills_come_in_many_shapes(trades: object) -> None:
    book().receives(order(filled=250.5, trades=trades)).tells(
        like(Trade, trade_id=TRADE), like(Order, status="filled")
    )


def test_fields_that_a_fill_leaves_out_are_those_of_its_order() -> None:
    bare = {"id": "T1", "price": 1.5, "amount": 2, "cost": 3, "fee": 0}
    book().receives(order(filled=2, trades=[bare])).tells(
        like(Trade, order_id=ORDER, symbol="USDT/AUD", side="buy", order_type="limit"),
        like(Order, filled="2"),
    )


# --- what cannot be read, and what must not be shown ---------------------------------------


def test_a_fill_that_cannot_be_read_hides_neither_its_neighbours_nor_its_order() -> None:
    frame = order(filled=250.5, trades=[fill(id=None), fill()])
    book().receives(frame).tells(
        like(Notice, code="unrecognised"),
        like(Trade, trade_id=TRADE),
        like(Order, status="filled"),
    )


def test_an_order_that_cannot_be_read_does_not_hide_its_fill() -> None:
    frame = order(trades=[fill()])
    del frame["data"]["id"]
    book().receives(frame).tells(like(Trade, trade_id=TRADE), like(Notice, code="unrecognised"))


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [
        ("status", None, "status"),
        ("status", 5, "exchange_status"),
        ("symbol", "USDT", "symbol"),
        ("side", "both", "side"),
        ("type", {}, "order_type"),
        ("time_in_force", [1], "time_in_force"),
        ("price", -1.6, "price"),
        ("price", "much", "price"),
        ("amount", [], "quantity"),
        ("filled", "NaN", "filled"),
        ("remaining", {}, "remaining"),
        ("average", "-", "average_price"),
        ("fee", "none", "fee"),
        ("timestamp", "soon", "created"),
        ("client_order_id", True, "client_order_id"),
        ("error_message", {"a": 1}, "reason"),
    ],
)
def test_an_odd_side_value_of_an_order_is_unknown_and_said(key: str, odd: Any, field: str) -> None:
    said = f"cannot read {key} of this order"
    element = decode(encode(order(**{key: odd})["data"]))
    reports = list(read_order_push(element, "stream"))
    assert [type(report) for report in reports] == [OrderReport, NoticeReport]
    assert reports[0].fields.get(field) is None  # type: ignore[union-attr]  # the order's
    assert reports[1] == like(NoticeReport, once=f"order:{key}")
    assert reports[1].text.startswith(said)  # type: ignore[union-attr]  # the notice's


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [
        ("price", None, "price"),
        ("price", -1, "price"),
        ("amount", "much", "quantity"),
        ("cost", [], "cost"),
        ("symbol", 7, "symbol"),
        ("side", "up", "side"),
        ("order", True, "order_id"),
        ("taker_or_maker", "broker", "liquidity"),
        ("timestamp", {}, "time"),
        ("type", 1, "order_type"),
    ],
)
def test_an_odd_side_value_of_a_fill_is_unknown_and_said_once(
    key: str, odd: Any, field: str
) -> None:
    traded = [fill(**{"id": f"T{number}", key: odd}) for number in (1, 2)]
    played = book().receives(*({"type": "trade", "data": one} for one in traded)).told_now()
    trades = [event for event in played.events if isinstance(event, Trade)]
    assert [(trade.trade_id, getattr(trade, field)) for trade in trades] == [
        ("T1", None),
        ("T2", None),
    ]
    said = [event.text for event in played.events if isinstance(event, Notice)]
    assert [text.split(",")[0] for text in said] == [f"cannot read {key} of this trade"]


def test_the_stated_remainder_is_told_as_it_is_stated() -> None:
    part = order(status="open", filled=100, remaining="150.500")
    book().receives(part).does(like(OrderReport, filled="100", remaining="150.500"))


@pytest.mark.parametrize("data", [None, 1, "x", [[]]])
def test_an_element_of_the_wrong_shape_is_one_notice(data: object) -> None:
    for kind in ("order", "trade", "price"):
        book().receives({"type": kind, "data": data}).tells(like(Notice, code="unrecognised"))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (5, "it is a number, not an object"),
        ({"id": "O1", "trades": 7}, "`trades` is a number, not a list"),
        ({"id": "O1", "trades": "x"}, "`trades` is text without a list in it"),
    ],
)
def test_what_cannot_be_read_is_said_in_words_for_people(data: object, text: str) -> None:
    played = book().receives({"type": "order", "data": data}).told_now()
    said = [event.text for event in played.events if isinstance(event, Notice)]
    assert said[0] == f"cannot read this element: {text}"


def test_a_frame_nested_beyond_reason_is_a_notice() -> None:
    for depth in (30, 300, 900, 100_000):
        frame = '{"type":"fill","data":' + "[" * depth + "]" * depth + "}"
        book().receives(frame).tells(like(Notice, code="unrecognised"))


@DIALECTS
def test_counterparties_are_printed_only_with_raw(dialect: str) -> None:
    plain, with_raw = (book(raw=raw).receives(*frames(dialect)).told_now() for raw in (False, True))
    assert NAME not in b"".join(map(encode, plain.events))
    assert (NAME in b"".join(map(encode, with_raw.events))) == (dialect == "old")


def spoiled() -> list[str]:
    """Frames with a counterparty in them that cannot be read, each in its own way."""
    traded, closed = frames("old")[1:]
    inner = json.loads(closed)
    inner["data"]["trades"] = json.dumps(inner["data"]["trades"]).replace('"id"', '"no"')
    return [
        traded.replace('"buy"', '"up"'),
        traded.replace('"type":"trade"', '"type":"fill"'),
        traded.replace("250.50,", '250.50",'),
        traded.replace('"Ann Example"', '{"name":"Ann Example"}').replace('"id"', '"no"'),
        traded.replace('"Ann Example"}}', '"Ann Example'),
        traded.replace('"', "'"),
        closed.replace('"amount":250.50', '"amount":"many"'),
        json.dumps(inner),
        json.dumps(inner)[:-1],
    ]


@pytest.mark.parametrize("frame", spoiled())
def test_a_notice_of_what_could_not_be_read_names_no_counterparty(frame: str) -> None:
    assert NAME.decode() in frame
    played = book().receives(frame).told_now()
    assert any(isinstance(event, Notice) for event in played.events)
    assert NAME not in b"".join(map(encode, played.events))
    for event in played.events:
        assert_valid(event)


def test_a_price_that_contradicts_its_cost_is_marked_as_not_exactly_stated() -> None:
    fill = {
        "id": "7d3c5a52-0000-4000-8000-000000000009",
        "timestamp": 1692354083000,
        "symbol": "USDT/AUD",
        "order": "0a3c5a52-0000-4000-8000-000000000001",
        "type": "limit",
        "side": "buy",
        "taker_or_maker": "taker",
        "price": Number("21.1"),
        "amount": 101,
        "cost": Number("301.426"),
        "fee": 0,
    }
    assert next(read_fill(fill, source="rest")) == like(Fill, estimated=("price",))
    rounded = fill | {"price": Number("1.474899"), "amount": 3, "cost": Number("4.424")}
    assert next(read_fill(rounded, source="stream")) == like(Fill, estimated=())


@pytest.mark.parametrize("spelled", ["btc-aud", "BTC_AUD", "btc/aud"])
def test_a_pair_is_told_by_its_common_name_however_it_is_spelled(spelled: str) -> None:
    played = book().receives(order(symbol=spelled)).told_now()
    [told] = [event for event in played.events if isinstance(event, Order)]
    assert (told.symbol, told.exchange_symbol) == ("BTC/AUD", spelled)

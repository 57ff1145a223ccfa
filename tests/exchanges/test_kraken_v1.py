"""Kraken WebSocket v1, as a dialogue."""

from typing import Any

import pytest

from privstream.exchanges.kraken.v1 import SessionV1
from privstream.model.errors import PermissionMissing, RateLimited, TokenRefused
from privstream.model.events import Notice, Order, Trade
from privstream.model.reports import Fill, Listed, OrderReport
from privstream.model.session import Ready, Reconnect, Synced
from tests.playbook import Playbook, ledger, like

ORDER = "OABCDE-12345-FGHIJK"
TRADE = "TABCDE-12345-FGHIJK"
BOTH = ("orders", "trades")


def status(name: str, **more: Any) -> dict[str, Any]:
    subscription = {"name": name, "maxratecount": 125}
    common = {"event": "subscriptionStatus", "status": "subscribed", "channelName": name}
    return {**common, "subscription": subscription, **more}


def orders(sequence: int, *updates: dict[str, Any]) -> list[Any]:
    return [[{ORDER: update} for update in updates], "openOrders", {"sequence": sequence}]


def trades(sequence: int, **rows: dict[str, Any]) -> list[Any]:
    named = [{name: row} for name, row in rows.items()]
    return [named, "ownTrades", {"sequence": sequence}]


def opened(*channels: str) -> Playbook:
    return Playbook(SessionV1("TOKEN", channels or BOTH)).opened()


def subscribed() -> Playbook:
    book = opened().receives(status("openOrders"), status("ownTrades"))
    return book.receives(orders(1), trades(1)).forget()


NEW: dict[str, Any] = {
    "avg_price": "0.00000",
    "cost": "0.00000",
    "descr": {
        "close": None,
        "leverage": None,
        "order": "sell 0.50000000 XBT/EUR @ limit 50000.00000",
        "ordertype": "limit",
        "pair": "XBT/EUR",
        "price": "50000.00000",
        "price2": "0.00000",
        "type": "sell",
    },
    "expiretm": None,
    "fee": "0.00000",
    "limitprice": "0.00000",
    "misc": "",
    "oflags": "fciq",
    "opentm": "1700220661.985020",
    "refid": None,
    "starttm": None,
    "status": "pending",
    "stopprice": "0.00000",
    "timeinforce": "GTC",
    "userref": 0,
    "vol": "0.50000000",
    "vol_exec": "0.00000000",
}
FILLED = {"vol_exec": "0.2", "cost": "10000.00", "fee": "16.00", "avg_price": "50000.00"}
ROW = {
    "cost": "10000.00000",
    "fee": "16.00000",
    "margin": "0.00000",
    "ordertxid": ORDER,
    "ordertype": "limit",
    "pair": "XBT/EUR",
    "postxid": "TKH2SE-M7IF5-CFI7LT",
    "price": "50000.00000",
    "time": "1700220761.062896",
    "type": "sell",
    "vol": "0.20000000",
}


def test_each_channel_is_one_request_and_every_fill_is_asked_for_by_itself() -> None:
    trades_wanted = {"name": "ownTrades", "token": "TOKEN", "snapshot": True}
    opened().sends(
        {
            "event": "subscribe",
            "reqid": 1,
            "subscription": {"name": "openOrders", "token": "TOKEN"},
        },
        {
            "event": "subscribe",
            "reqid": 2,
            "subscription": {**trades_wanted, "consolidate_taker": False},
        },
    ).nothing()


def test_it_is_ready_and_synced_when_both_channels_said_so() -> None:
    book = opened().forget().receives(status("openOrders"), orders(1)).does(Listed("orders"))
    book.receives(status("ownTrades")).does(Ready()).receives(trades(1)).does(Synced()).nothing()


def test_an_update_of_one_key_becomes_a_whole_order() -> None:
    whole = {
        "symbol": "BTC/EUR",
        "exchange_symbol": "XBT/EUR",
        "side": "sell",
        "order_type": "limit",
        "price": "50000.00000",
        "quantity": "0.50000000",
        "time_in_force": "gtc",
        "created": "2023-11-17T11:31:01.985020Z",
    }
    book = subscribed().receives(orders(2, NEW))
    book.tells(like(Order, **whole, status="pending", filled="0", time=whole["created"], fee="0"))
    book.receives(orders(3, {"status": "open", "userref": 0}))
    book.tells(like(Order, **whole, status="open", time=None))


def test_a_fill_carries_no_status_and_still_is_a_partial_fill() -> None:
    book = subscribed().receives(orders(2, NEW, {"status": "open"})).forget_events()
    book.receives(orders(3, FILLED)).tells(
        like(
            Order,
            status="partially_filled",
            exchange_status="open",
            filled="0.2",
            remaining="0.30000000",
            average_price="50000.00",
            fee="16.00",
            fee_currency="EUR",
        )
    )


def test_the_last_fill_closes_the_order_and_the_closing_word_is_not_told_again() -> None:
    done = FILLED | {"vol_exec": "0.50000000"}
    book = subscribed().receives(orders(2, NEW, {"status": "open"})).forget_events()
    book.receives(orders(3, done)).tells(like(Order, status="filled", remaining="0"))
    closed = done | {"status": "closed", "lastupdated": "1700220775.012776"}
    book.receives(orders(4, closed)).tells()


def test_the_bare_word_closed_means_that_all_was_filled() -> None:
    book = subscribed().receives(orders(2, NEW, {"status": "open"})).forget_events()
    book.receives(orders(3, {"status": "closed"})).tells(
        like(Order, status="filled", filled="0.50000000", remaining="0", cost=None)
    )


def test_a_cancellation_keeps_what_was_filled_and_says_why() -> None:
    book = subscribed().receives(orders(2, NEW, FILLED)).forget_events()
    canceled = {"status": "canceled", "cancel_reason": "User requested", "vol_exec": "0.2"}
    book.receives(orders(3, canceled | {"lastupdated": "1700220675.012776"})).tells(
        like(
            Order,
            status="canceled",
            filled="0.2",
            reason="user_requested",
            time="2023-11-17T11:31:15.012776Z",
        )
    )


def test_a_trade_is_whole_and_its_fee_is_in_the_quote_currency() -> None:
    subscribed().receives(trades(2, **{TRADE: ROW})).tells(
        like(
            Trade,
            id=f"kraken:trade:{TRADE}",
            order_id=ORDER,
            symbol="BTC/EUR",
            side="sell",
            quantity="0.20000000",
            fee="16.00000",
            fee_currency="EUR",
            liquidity=None,
            time="2023-11-17T11:32:41.062896Z",
            source="stream",
        )
    )


def test_the_first_frame_is_the_snapshot_also_without_a_sequence() -> None:
    rows = [{TRADE: ROW}]
    opened().forget().receives([rows, "ownTrades"]).does(like(Fill, source="snapshot"))
    opened().forget().receives(trades(1, **{TRADE: ROW})).does(like(Fill, source="snapshot"))


def test_one_order_may_come_twice_in_one_frame() -> None:
    subscribed().receives(orders(2, NEW, {"status": "open"})).does(
        like(OrderReport, status="pending"), like(OrderReport, status="open")
    ).nothing()


def test_a_stop_order_is_triggered_by_its_price_and_limited_by_its_second() -> None:
    descr = NEW["descr"] | {"ordertype": "stop-loss-limit", "price": "49000.0", "price2": "48900.0"}
    subscribed().receives(orders(2, NEW | {"descr": descr})).does(
        like(OrderReport, order_type="stop_loss_limit", stop_price="49000.0", price="48900.0")
    )


def test_an_order_in_quote_currency_has_no_base_quantity() -> None:
    row = NEW | {"oflags": "viqc,fciq", "vol": "100.00000"}
    subscribed().receives(orders(2, row)).tells(
        like(Order, quote_quantity="100.00000", quantity=None, remaining=None, filled=None)
    )


def test_the_post_flag_is_post_only() -> None:
    row = NEW | {"oflags": "fciq,post"}
    subscribed().receives(orders(2, row)).does(like(OrderReport, time_in_force="post_only"))


def test_an_amended_description_is_laid_over_the_known_one() -> None:
    book = subscribed().receives(orders(2, NEW, {"status": "open"})).forget_events()
    book.receives(orders(3, {"descr": {"price": "51000.00000"}, "vol": "0.60000000"}))
    book.tells(like(Order, price="51000.00000", quantity="0.60000000", side="sell"))


def test_an_unknown_order_waits_to_be_looked_up() -> None:
    book = subscribed().receives(orders(2, {"status": "canceled"})).tells()
    assert book.ledger.wanted == {ORDER}


def test_numbers_that_begin_again_hide_nothing() -> None:
    book = subscribed().receives(orders(2, NEW)).receives(orders(3, NEW)).forget()
    book.receives(orders(2, NEW)).does(Reconnect("sequence", "frame 2 came after 3"))


def test_a_jump_in_the_sequence_is_a_lost_frame() -> None:
    subscribed().receives(orders(3, NEW)).does(
        like(OrderReport, order_id=ORDER), Reconnect("sequence", "frames 2 to 2 were lost")
    )


def test_the_channels_count_by_themselves() -> None:
    subscribed().receives(orders(2, NEW), orders(3, FILLED), trades(2, **{TRADE: ROW})).does(
        like(OrderReport), like(OrderReport), like(Fill)
    ).nothing()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ESession:Invalid session", TokenRefused),
        ("EGeneral:Permission denied", PermissionMissing),
        ("EService:Throttled", RateLimited),
    ],
)
def test_a_refusal_may_come_without_a_channel(text: str, kind: type[Exception]) -> None:
    refusal = {"event": "subscriptionStatus", "status": "error", "errorMessage": text}
    opened().refuses(refusal, kind)  # type: ignore[arg-type]  # they are PrivstreamErrors


def test_too_many_messages_is_said_and_waited_for() -> None:
    subscribed().refuses({"errorMessage": "Exceeded msg rate"}, RateLimited)


def test_what_is_known_and_no_event_is_silent() -> None:
    online = {"event": "systemStatus", "status": "online", "connectionID": 1, "version": "1.9.1"}
    placed = {"event": "addOrderStatus", "status": "ok", "txid": ORDER, "descr": "buy 1 XBT/EUR"}
    subscribed().receives({"event": "heartbeat"}, {"event": "pong"}, online, placed).nothing()


def test_maintenance_and_order_errors_are_notices() -> None:
    down = {"event": "systemStatus", "status": "maintenance", "version": "1.9.1"}
    error = {"event": "addOrderStatus", "status": "error", "errorMessage": "EOrder:Unknown order"}
    subscribed().receives(down, error).tells(
        like(Notice, level="warning", code="maintenance"),
        like(Notice, level="error", code="addOrderStatus", text="EOrder:Unknown order"),
    )


def test_public_data_and_unknown_events_are_notices() -> None:
    ticker = [340, {"c": ["1", "2"]}, "ticker", "XBT/EUR"]
    subscribed().receives(ticker, {"event": "surprise"}, [], 7).tells(
        *[like(Notice, code="unrecognised")] * 4
    )


def test_both_protocols_name_the_same_facts_alike() -> None:
    from tests.exchanges import test_kraken_v2 as v2  # noqa: PLC0415 - its frames

    new = NEW | {"descr": NEW["descr"] | {"type": "buy"}}
    first = Playbook(SessionV1("T", BOTH), ledger()).receives(orders(1), orders(2, new, FILLED))
    second = v2.subscribed().receives(v2.executions(2, v2.NEW, v2.FILL))
    first.told_now()
    second.told_now()
    ids = [[e.id for e in book.events if isinstance(e, Order)] for book in (first, second)]
    assert ids[0] == ids[1]


def test_an_error_that_names_nothing_refuses_what_is_not_acknowledged_yet() -> None:
    refusal = {"event": "error", "errorMessage": "EGeneral:Permission denied", "status": "error"}
    error = opened().refuses(refusal, PermissionMissing)
    assert "the openOrders and ownTrades channels" in error.message
    subscribed().receives(refusal).tells(like(Notice, level="error"))


def trailing(kind: str, **changes: Any) -> dict[str, Any]:
    descr = NEW["descr"] | {"ordertype": kind, "price": "+40.0000%", "price2": "+1.00000"}
    prices = {"stopprice": "0.30000000", "limitprice": "0.50000000"}
    return NEW | {"descr": descr} | prices | changes


def test_the_limitprice_of_a_trailing_stop_is_the_markets_peak_and_no_price() -> None:
    row = trailing("trailing-stop", misc="stopped")
    for update in (row, row | {"misc": ""}):
        subscribed().receives(orders(2, update)).does(
            like(OrderReport, order_type="trailing_stop", price=None, stop_price="0.30000000")
        )


def test_a_trailing_stop_limit_has_its_limit_once_it_was_triggered() -> None:
    book = subscribed().receives(orders(2, trailing("trailing-stop-limit")))
    book.does(like(OrderReport, price=None, stop_price="0.30000000"))
    book.receives(orders(3, {"misc": "stopped", "limitprice": "0.29000000"}))
    book.does(like(OrderReport, price="0.29000000", stop_price="0.30000000"))


def test_an_insignificant_remainder_is_filled_and_stays_untraded() -> None:
    book = subscribed().receives(orders(2, NEW, {"status": "open"})).forget_events()
    over = {"status": "closed", "cancel_reason": "Insignificant volume remaining"}
    almost = FILLED | {"vol_exec": "0.49999990"}
    book.receives(orders(3, almost | over)).tells(
        like(
            Order,
            status="filled",
            filled="0.49999990",
            remaining="0.00000010",
            reason="insignificant_volume_remaining",
        )
    )


def test_an_order_that_settles_a_position_has_no_quantity_of_its_own() -> None:
    descr = NEW["descr"] | {"ordertype": "settle-position", "price": "0"}
    whole = NEW | {"descr": descr, "vol": "0.00000000", "status": "open"}
    book = subscribed().receives(orders(2, whole | FILLED))
    book.does(like(OrderReport, quantity=None, filled="0.2", price=None))


def test_flags_that_an_update_changes_are_read_with_the_time_in_force_known_before() -> None:
    book = subscribed().receives(orders(2, NEW | {"oflags": "fciq,post"}))
    book.does(like(OrderReport, time_in_force="post_only"))
    book.receives(orders(3, {"oflags": "fciq"})).does(like(OrderReport, time_in_force="gtc"))


def test_a_pong_and_a_heartbeat_after_it_prove_what_was_told_until_the_ping() -> None:
    book = subscribed().after(5)
    assert book.pings == [b'{"event":"ping","reqid":1000001}']
    sent = book.now
    heartbeat, pong = {"event": "heartbeat"}, {"event": "pong", "reqid": 1_000_001}
    book.receives(heartbeat, pong).after(1).nothing()
    assert book.delivered == []
    book.receives(heartbeat).after(1).nothing()
    assert book.delivered == [sent]

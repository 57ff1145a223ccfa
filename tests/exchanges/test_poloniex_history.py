"""Poloniex over REST: reading back, pages, balances."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest

from privstream.exchanges.poloniex.rest import PAGE, windows
from privstream.model.events import Balance, Order, Trade
from privstream.model.reports import BalanceReport, Fill, NoticeReport, OrderReport
from tests.exchanges.poloniex_rest_desk import (
    ALL,
    DAY,
    ORDER,
    SINCE,
    Server,
    exchange,
    known,
    missing,
    payload,
    told,
)
from tests.playbook import Playbook, ledger, like
from tests.rest_play import ALL_CHANNELS, answer, play

# --- reading back ----------------------------------------------------------------------


def ended() -> Server:
    return Server(
        __orders=[],
        __orders__history=payload("rest_orders_history"),
        __trades=payload("rest_trades"),
    )


def test_what_happened_meanwhile_is_read_back_once() -> None:
    book, client = ledger("poloniex"), exchange()
    live = Playbook(client.session(None, ALL), book)
    live.receives(*payload("limit_sell")[:2]).told_now()
    book.reconnected()
    found = play(client.backfill(known()), ended())
    assert found.complete
    events = told(book, found)
    assert events[:2] == [
        like(Trade, trade_id="70000002", source="rest", quantity="3.00", fee="0.9015000"),
        like(Order, order_id=ORDER, source="rest", status="filled", fee="1.3522500"),
    ]
    assert {event.currency for event in events[2:]} == {"USDT", "SOL"}
    live.receives(payload("limit_sell")[2]).tells()
    assert told(book, play(client.backfill(known()), ended())) == []


def test_fills_under_other_numbers_over_rest_are_not_told_again() -> None:
    snowflakes = [row | {"id": row["pageId"]} for row in payload("rest_trades")]
    book, client = ledger("poloniex"), exchange()
    Playbook(client.session(None, ALL), book).receives(*payload("limit_sell")).told_now()
    book.reconnected()
    events = told(book, play(client.backfill(known(("trades",))), Server(__trades=snowflakes)))
    assert events == []


def test_reading_back_overlaps_what_is_known_by_a_minute_on_both_sides() -> None:
    server = ended()
    play(exchange().backfill(known(days=1)), server)
    window = f"endTime={SINCE + DAY + 60_000}&limit=100&startTime={SINCE - 60_000}"
    assert f"/trades?{window}" in server.asked
    assert f"/orders/history?{window}" in server.asked


def test_only_what_is_streamed_is_read_back_but_orders_need_their_fills_for_the_fee() -> None:
    expected = {
        ("orders",): {
            "/trades",
            "/orders",
            "/orders/history",
            "/smartorders",
            "/smartorders/history",
        },
        ("trades",): {"/trades"},
        ("balances",): {"/accounts/balances"},
    }
    for channels, paths in expected.items():
        server = ended()
        play(exchange().backfill(known(channels)), server)
        assert set(server.paths()) == paths


def test_the_histories_cost_five_times_of_the_budget() -> None:
    server = ended()
    play(exchange().backfill(known()), server)
    costs = {call.name: call.cost for call in server.calls}
    assert costs["GET /trades"] == costs["GET /orders/history"] == 5 * costs["GET /orders"]


def test_a_doubtful_order_in_no_list_is_asked_for_by_its_id() -> None:
    row = payload("rest_open_orders")[0] | {"id": "7", "state": "CANCELED", "filledQuantity": "0"}
    server = Server(__orders__7=row)
    suspects = frozenset({"7", ORDER})
    found = play(exchange().backfill(known(("orders",), suspects=suspects)), server)
    assert found.complete
    assert like(OrderReport, order_id="7", status="canceled") in list(found.reports)
    assert [path for path in server.paths() if path in {"/orders", f"/orders/{ORDER}"}] == [
        "/orders"
    ]
    assert server.paths()[-1] == "/orders/7"


def test_a_doubtful_order_that_nobody_knows_is_said() -> None:
    found = play(
        exchange().backfill(known(("orders",), suspects=frozenset({"7"}))),
        Server(__orders__7=missing(), __smartorders__7=missing()),
    )
    assert not found.complete
    assert "order 7 is unknown" in (found.detail or "")


def test_a_look_up_answers_whole_orders() -> None:
    row = payload("rest_open_orders")[0]
    [report] = play(exchange().look_up([ORDER]), Server(**{f"__orders__{ORDER}": row}))
    assert report == like(OrderReport, order_id=ORDER, source="rest", quantity="4.50", side="sell")


def test_a_bare_number_as_id_keeps_its_digits() -> None:
    found = play(exchange().backfill(known(("orders",))), ended())
    assert like(OrderReport, order_id=ORDER, status="filled") in list(found.reports)


def test_a_market_buy_by_amount_has_its_size_in_quote_over_rest_too() -> None:
    row = payload("rest_open_orders")[0]
    row |= {"side": "BUY", "type": "MARKET", "quantity": "0.00", "price": "0.00", "amount": "30.00"}
    found = play(exchange().picture(ALL_CHANNELS), Server(__orders=[row]))
    fields = {"quote_quantity": "30.00", "price": "(absent)", "quantity": "(absent)"}
    assert like(OrderReport, **fields) in list(found.reports)


# --- windows and pages -----------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 1, 7, 8, 21, 100])
def test_windows_are_at_most_seven_days_and_leave_nothing_out(days: int) -> None:
    pieces = [(int(w["startTime"]), int(w["endTime"])) for w in windows(SINCE, SINCE + days * DAY)]
    assert pieces[0][0] == SINCE
    assert pieces[-1][1] == SINCE + days * DAY
    assert all(0 <= end - start <= 7 * DAY for start, end in pieces)
    assert all(end + 1 == start for (_, end), (start, _) in pairwise(pieces))


def test_long_interruptions_are_read_in_weeks() -> None:
    server = ended()
    play(exchange().backfill(known(("trades",), days=20)), server)
    assert len(server.asked) == 3


Lister = Callable[[dict[str, str]], list[Any]]


def lister(
    rows: Iterable[Any],
    *,
    newest_first: bool,
    next_is_older: bool,
    inclusive: bool,
    ascending: bool,
) -> Lister:
    """A list with pages, in one of the ways that the documents leave open."""
    by_page = {int(row["pageId"]): row for row in rows}

    def page(query: dict[str, str]) -> list[Any]:
        ids = sorted(by_page, reverse=newest_first)
        if "from" in query:
            start = int(query["from"])
            older = (query["direction"] == "NEXT") == next_is_older
            near_first = sorted(by_page, reverse=older)
            ids = [
                i
                for i in near_first
                if (i < start if older else i > start) or (inclusive and i == start)
            ]
        ids = ids[: int(query["limit"])]
        return [by_page[i] for i in sorted(ids, reverse=not ascending)]

    return page


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("next_is_older", [True, False])
@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("count", [0, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 7])
def test_pages_are_followed_to_the_end_whichever_way_they_lead(
    count: int, *, newest_first: bool, next_is_older: bool, inclusive: bool, ascending: bool
) -> None:
    [row] = payload("rest_trades")[1:]
    rows = [row | {"id": str(n), "pageId": str(SINCE + n)} for n in range(1, count + 1)]
    server = Server(
        __trades=lister(
            rows,
            newest_first=newest_first,
            next_is_older=next_is_older,
            inclusive=inclusive,
            ascending=ascending,
        )
    )
    found = play(exchange().backfill(known(("trades",))), server)
    assert found.complete
    assert len({r.trade_id for r in found.reports if isinstance(r, Fill)}) == count
    assert len(found.reports) == count
    assert len(server.asked) <= 9


def test_rows_that_come_while_pages_are_read_do_not_end_the_reading() -> None:
    [row] = payload("rest_trades")[1:]
    rows = [row | {"id": str(n), "pageId": str(SINCE + n)} for n in range(1, 2 * PAGE + 1)]
    late = row | {"id": "999", "pageId": str(SINCE + 999)}
    page = lister(rows, newest_first=True, next_is_older=False, inclusive=False, ascending=False)

    def growing(query: dict[str, str]) -> list[Any]:
        return [late, *page(query)][: int(query["limit"])] if "from" in query else page(query)

    found = play(exchange().backfill(known(("trades",))), Server(__trades=growing))
    assert len({r.trade_id for r in found.reports if isinstance(r, Fill)}) == 2 * PAGE + 1


@pytest.mark.parametrize("ignored", ["from", "direction"])
def test_a_list_whose_end_was_never_seen_is_not_called_whole(ignored: str) -> None:
    [row] = payload("rest_trades")[1:]
    rows = [row | {"id": str(n), "pageId": str(SINCE + n)} for n in range(1, 3 * PAGE)]
    page = lister(rows, newest_first=True, next_is_older=False, inclusive=False, ascending=False)

    def stubborn(query: dict[str, str]) -> list[Any]:
        usual = {"direction": "NEXT"} if "from" in query else {}
        return page({key: value for key, value in query.items() if key != ignored} | usual)

    found = play(exchange().backfill(known(("trades",))), Server(__trades=stubborn))
    assert len({r.trade_id for r in found.reports if isinstance(r, Fill)}) == PAGE
    assert (found.detail or "").startswith("fills: Poloniex listed a full page")


# --- balances --------------------------------------------------------------------------


def balance_push(currency: str, available: str, identity: int) -> dict[str, Any]:
    item = {"id": identity, "currency": currency, "available": available, "hold": "0"}
    item |= {"accountType": "SPOT", "eventType": "DEPOSIT", "changeTime": SINCE, "ts": SINCE}
    return {"channel": "balances", "data": [item]}


def test_a_currency_that_is_not_listed_any_more_holds_nothing() -> None:
    book, client = ledger("poloniex"), exchange()
    told(book, play(client.picture(ALL_CHANNELS), Server(__orders=[])))
    client_session = Playbook(client.session(None, ALL), book).opened().forget()
    book.reconnected()
    empty = [{"accountId": "1", "accountType": "SPOT", "balances": []}]
    found = play(client.backfill(known(("balances",))), Server(__accounts__balances=empty))
    assert told(book, found) == [
        like(Balance, currency="SOL", total="0", available="0", hold="0", source="rest"),
        like(Balance, currency="USDT", total="0", source="rest"),
    ]
    client_session.nothing()


def test_a_currency_that_only_the_stream_told_of_is_missed_too() -> None:
    book, client = ledger("poloniex"), exchange()
    live = Playbook(client.session(None, ALL), book).opened().forget()
    live.receives(balance_push("BTC", "0.5", 1)).told_now()
    live.opened().forget()
    book.reconnected()
    events = told(book, play(client.backfill(known(("balances",))), Server()))
    assert like(Balance, currency="BTC", total="0", source="rest") in events


@pytest.mark.parametrize("accounts", [None, []])
def test_no_account_at_all_says_nothing_of_what_is_in_it(accounts: Any) -> None:
    book, client = ledger("poloniex"), exchange()
    told(book, play(client.picture(ALL_CHANNELS), Server(__orders=[])))
    body = answer("null") if accounts is None else accounts
    found = play(client.backfill(known(("balances",))), Server(__accounts__balances=body))
    assert found.reports == ()


def test_a_row_that_cannot_be_read_is_not_taken_for_a_currency_that_is_gone() -> None:
    client = exchange()
    play(client.picture(ALL_CHANNELS), Server(__orders=[]))
    [entry] = payload("rest_accounts_balances")
    usdt, sol, _ = entry["balances"]
    broken = [entry | {"balances": [usdt, sol | {"available": [], "hold": "much"}]}]
    found = play(client.backfill(known(("balances",))), Server(__accounts__balances=broken))
    assert not found.complete
    assert [type(report) for report in found.reports] == [BalanceReport, NoticeReport]


def test_what_the_stream_has_told_of_a_currency_is_later_than_what_rest_lists() -> None:
    book, client = ledger("poloniex"), exchange()
    live = Playbook(client.session(None, ALL), book).opened().forget()
    live.receives(balance_push("USDT", "1200.00", 1)).told_now()
    events = told(book, play(client.picture(ALL), Server(__orders=[])))
    balances = [event for event in events if isinstance(event, Balance)]
    assert [balance.currency for balance in balances] == ["SOL"]


def test_after_a_reconnect_rest_is_believed_until_the_stream_tells_anew() -> None:
    book, client = ledger("poloniex"), exchange()
    live = Playbook(client.session(None, ALL), book).opened().forget()
    live.receives(balance_push("USDT", "1200.00", 1)).told_now()
    Playbook(client.session(None, ALL), book).opened()
    book.reconnected()
    found = play(client.backfill(known(("balances",))), Server())
    assert told(book, found) == [
        like(Balance, currency="USDT", total="1000.00", source="rest"),
        like(Balance, currency="SOL", total="3.00", source="rest"),
    ]


def test_a_balance_that_the_stream_told_is_not_told_again_by_rest() -> None:
    book, client = ledger("poloniex"), exchange()
    live = Playbook(client.session(None, ALL), book).opened().forget()
    live.receives(balance_push("USDT", "1000.00", 1)).told_now()
    Playbook(client.session(None, ALL), book).opened()
    book.reconnected()
    found = play(client.backfill(known(("balances",))), Server())
    assert [event.currency for event in told(book, found)] == ["SOL"]

"""Zerocap's order entry: what is sent, what is read, what cannot be."""

import json
from typing import Any

import pytest

from privstream.exchanges.zerocap import Zerocap
from privstream.exchanges.zerocap.ordering import ZerocapEntry
from privstream.model.account import Account, Secret
from privstream.model.errors import (
    PermissionMissing,
    RateLimited,
    Refused,
    Unavailable,
    UnknownOrder,
    UsageError,
)
from privstream.model.order_entry import Ticket
from privstream.model.reports import AnyReport, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.rest_play import answer, play

ORDER = "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a01"
OTHER = "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a02"
CLIENT = "5f0c8b9e-0000-4000-8000-000000000001"
ROW: dict[str, Any] = {
    "id": ORDER,
    "timestamp": 1_780_000_000_000,
    "last_trade_timestamp": 1_780_000_000_000,
    "status": "closed",
    "symbol": "BTC/AUD",
    "type": "limit",
    "time_in_force": "FOK",
    "side": "sell",
    "price": 98000,
    "average": 98000,
    "amount": 0.05,
    "filled": 0.05,
    "remaining": 0,
    "cost": 4900,
    "fee": 0,
    "error_message": "",
    "trades": [],
    "client_order_id": CLIENT,
}


def entry() -> ZerocapEntry:
    credentials = {"api_key": Secret("test-key"), "api_secret": Secret("test-secret-0001")}
    account = Account("zerocap", "zerocap", credentials, Zerocap.endpoints({}), {})
    found = Zerocap(account).order_entry
    assert isinstance(found, ZerocapEntry)
    return found


def ticket(**changes: Any) -> Ticket:
    terms: dict[str, Any] = {
        "symbol": "BTC/AUD",
        "side": "sell",
        "order_type": "limit",
        "quantity": "0.0500",
        "price": "98000.10",
        "client_order_id": CLIENT,
    }
    return Ticket(**{**terms, **changes})


class Server:
    """Gives one answer to every call, and keeps what was asked."""

    def __init__(self, response: HttpResponse) -> None:
        self._response = response
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        del call
        self.asked.append((request.method, request.path, json.loads(request.body or b"{}")))
        return self._response


def listing(*rows: Any, total: int | None = None) -> HttpResponse:
    total = len(rows) if total is None else total
    return answer({"order_list": list(rows), "status": "success", "total": total, "page": 1})


def placed(response: HttpResponse) -> tuple[AnyReport, ...]:
    return play(entry().place(ticket()), Server(response))


def ids(reports: tuple[AnyReport, ...]) -> list[str]:
    return [report.order_id for report in reports if isinstance(report, OrderReport)]


# --- placing -------------------------------------------------------------------------------


def test_the_amounts_go_out_as_texts_with_the_digits_as_typed() -> None:
    server = Server(answer(ROW))
    play(entry().place(ticket()), server)
    assert server.asked == [
        (
            "POST",
            "/v2/orders/create_order",
            {
                "symbol": "BTC/AUD",
                "side": "sell",
                "type": "limit",
                "amount": "0.0500",
                "price": "98000.10",
                "client_order_id": CLIENT,
            },
        )
    ]


@pytest.mark.parametrize("status", ["open", "closed"])
def test_the_status_of_the_answer_is_the_orders(status: str) -> None:
    (report,) = placed(answer({**ROW, "status": status}))
    assert isinstance(report, OrderReport)
    assert (report.order_id, report.source) == (ORDER, "rest")
    assert report.fields["exchange_status"] == status


@pytest.mark.parametrize("said", [{}, {"client_order_id": ""}])
def test_an_answer_without_the_client_id_is_still_to_that_order(said: dict[str, str]) -> None:
    row = {key: value for key, value in ROW.items() if key != "client_order_id"} | said
    (report,) = placed(answer(row))
    assert isinstance(report, OrderReport)
    assert report.fields["client_order_id"] == CLIENT


@pytest.mark.parametrize(
    ("response", "kind", "hint"),
    [
        (answer({"detail": "insufficient balance"}, 400), Refused, "what is available"),
        (answer("symbol is unknown", 422), Refused, "check the pair"),
        (answer("forbidden", 403), PermissionMissing, "the right to place orders"),
        (answer({"error_message": "not tradable", "id": None}), Refused, "check the pair"),
    ],
)
def test_a_refusal_says_what_to_do(response: HttpResponse, kind: type[Refused], hint: str) -> None:
    with pytest.raises(kind) as caught:
        placed(response)
    assert hint in (caught.value.hint or "")


def test_an_address_that_is_not_let_in_is_not_taken_for_a_missing_right() -> None:
    with pytest.raises(PermissionMissing) as caught:
        placed(answer("Unauthorized IP address.", 401))
    assert "IP address" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer("<html>504</html>", 504), Unavailable),
        (answer("<html>who are you</html>", 403), Unavailable),
        (answer("no json", 200), Unavailable),
        (answer("[]", 200), Unavailable),
        (answer("slower", 429), RateLimited),
    ],
)
def test_what_is_no_answer_of_zerocaps_leaves_it_open(
    response: HttpResponse, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        placed(response)


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_type": "market", "price": None},
        {"price": None},
        {"price": "+5"},
        {"stop_price": "5"},
        {"time_in_force": "gtc"},
        {"options": {"leverage": "2"}},
        {"client_order_id": ""},
        {"validate": True},
    ],
)
def test_what_zerocap_does_not_have_is_refused_before_anything_is_sent(wrong: Any) -> None:
    with pytest.raises(UsageError):
        entry().check(ticket(**wrong))


def test_what_zerocap_has_is_taken() -> None:
    entry().check(ticket())
    entry().check(ticket(time_in_force="fok"))
    assert entry().makes_client_id(ticket())
    assert not entry().can_cancel


@pytest.mark.parametrize("symbol", ["btc/aud", "BTC-AUD", "btc_aud", "btcaud"])
def test_a_symbol_is_spelled_as_zerocap_does(symbol: str) -> None:
    ready = play(entry().prepare(ticket(symbol=symbol)), Server(answer({})))
    assert ready == ticket()


# --- looking -------------------------------------------------------------------------------


def test_a_lost_order_is_looked_for_by_its_client_id_in_a_window() -> None:
    server = Server(listing({**ROW, "id": OTHER, "client_order_id": "x"}, ROW))
    found = play(entry().find(ticket(), 1_780_000_000_000_000_000), server)
    assert ids(found) == [ORDER]
    ((_, path, body),) = server.asked
    assert path == "/v2/orders/fetch_orders"
    assert body["start_datetime"] == 1_780_000_000_000 - 60_000
    assert body["end_datetime"] == 0
    assert body["status"] == ""


def test_an_order_without_a_client_id_is_not_found_among_those_without() -> None:
    rows = listing({**ROW, "client_order_id": ""}, {**ROW, "client_order_id": None})
    assert play(entry().find(ticket(client_order_id=None), 1), Server(rows)) == ()


def test_an_order_is_got_by_its_id() -> None:
    server = Server(listing(ROW))
    assert ids(play(entry().get(ORDER), server)) == [ORDER]
    assert server.asked[0][2]["ids"] == ORDER


def test_an_order_is_got_by_its_client_id_among_the_latest() -> None:
    server = Server(listing({**ROW, "id": OTHER, "client_order_id": "x"}, ROW))
    assert ids(play(entry().get(CLIENT), server)) == [ORDER]
    server = Server(listing({**ROW, "client_order_id": "mine-7"}))
    assert ids(play(entry().get("mine-7"), server)) == [ORDER]
    assert [asked[2]["ids"] for asked in server.asked] == [""]


def test_an_order_that_is_nowhere_is_unknown() -> None:
    with pytest.raises(UnknownOrder):
        play(entry().get(ORDER), Server(listing()))


def test_open_orders_are_listed_unless_something_else_is_asked_for() -> None:
    server = Server(listing(ROW))
    play(entry().open_orders({}), server)
    wanted = {
        "status": "closed",
        "symbol": "btc-aud",
        "from": 1_780_000_000_000_000_000,
        "to": 1_780_000_100_000_000_000,
        "side": "sell",
        "type": "LIMIT",
    }
    play(entry().open_orders(wanted), server)
    first, second = (asked[2] for asked in server.asked)
    assert (first["status"], first["symbol"], first["start_datetime"]) == ("open", "", 0)
    assert second | {"page": 1} == {
        "symbol": "BTC/AUD",
        "start_datetime": 1_780_000_000_000,
        "end_datetime": 1_780_000_100_000,
        "page": 1,
        "limit": 500,
        "ids": "",
        "status": "closed",
        "sort_order": "desc",
        "order_type": "limit",
        "side": "sell",
    }


def test_as_many_are_listed_as_asked_for_and_no_page_more() -> None:
    server = Server(listing(ROW, {**ROW, "id": OTHER}, total=900))
    assert ids(play(entry().open_orders({"limit": 1}), server)) == [ORDER]
    assert len(server.asked) == 1


def test_a_list_that_is_not_whole_says_so() -> None:
    class Pages:
        """The second page is empty, although more were promised."""

        def __init__(self) -> None:
            self.count = 0

        def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
            del call, request
            self.count += 1
            return listing(ROW, total=3) if self.count == 1 else listing(total=3)

    *_, notice = play(entry().open_orders({}), Pages())
    assert getattr(notice, "code", None) == "incomplete"


@pytest.mark.parametrize("wrong", [{"status": "done"}, {"side": "both"}])
def test_a_filter_that_zerocap_does_not_have_is_a_usage_error(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        play(entry().open_orders(wrong), Server(listing()))

"""Which pair is meant on Kraken, what its answers mean, how an order is looked for."""

import json
from typing import Any

import pytest

from privstream.model.errors import (
    PermissionMissing,
    PrivstreamError,
    Refused,
    TokenRefused,
    Unavailable,
    UnknownOrder,
    Unreachable,
    UsageError,
)
from privstream.model.order_entry import Answered, Ticket
from privstream.model.reports import OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from privstream.simulator.base import Request
from tests.exchanges.kraken_order_desk import (
    NOW,
    PAIR,
    TOKEN,
    UUID,
    desk_v1,
    desk_v2,
    entry,
    ticket,
)
from tests.rest_play import STAMP, answer, play
from tests.simulator.desk import Desk

# --- the pair ------------------------------------------------------------------------------


def pair_answers(calls: list[str]) -> Any:
    def respond(_: Any, request: HttpRequest) -> Any:
        calls.append(request.path)
        asked = request.path.partition("pair=")[2]
        row = {**PAIR["XETHZEUR"], "altname": asked, "wsname": f"{asked[:3]}/{asked[3:]}"}
        return answer({"error": [], "result": {f"X{asked[:3]}Z{asked[3:]}": row}})

    return respond


@pytest.mark.parametrize(
    ("protocol", "typed", "asked", "spelled"),
    [
        ("v2", "ETH/EUR", "ETHEUR", "ETH/EUR"),
        ("v2", "etheur", "ETHEUR", "ETH/EUR"),
        ("v1", "BTC/EUR", "XBTEUR", "XBT/EUR"),
        ("v1", "DOGE/USD", "XDGUSD", "XDG/USD"),
        ("v2", "DOGE/USD", "XDGUSD", "DOGE/USD"),
    ],
)
def test_a_pair_is_spelled_as_the_protocol_wants_it(
    protocol: str, typed: str, asked: str, spelled: str
) -> None:
    calls: list[str] = []
    prepared = play(entry(protocol).prepare(ticket(symbol=typed)), pair_answers(calls))
    assert calls == [f"/0/public/AssetPairs?pair={asked}"]
    assert prepared.symbol == spelled


@pytest.mark.parametrize("symbol", ["", "/", " / ", "/EUR", "BTC/", "XBT/EUR,ETH/EUR", "BTC//EUR"])
def test_what_is_no_pair_is_not_asked_for(symbol: str) -> None:
    with pytest.raises(UsageError, match="is no pair"):
        play(entry().prepare(ticket(symbol=symbol)), pair_answers([]))


def test_an_answer_about_other_pairs_is_not_taken_for_the_one_meant() -> None:
    with pytest.raises(Refused, match="knows no pair 'BTC/EUR'"):
        play(
            entry().prepare(ticket(symbol="BTC/EUR")),
            lambda *_: answer({"error": [], "result": PAIR}),
        )


@pytest.mark.parametrize("typed", ["AAPLx/USD", "AAPLxUSD", "aaplx/usd"])
@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_a_tokenized_pair_is_found_whatever_capitals_were_typed(protocol: str, typed: str) -> None:
    desk = Desk()

    def simulated(_call: Call, request: HttpRequest) -> HttpResponse:
        path, _, query = request.path.partition("?")
        sent = Request(request.method, path, query, request.headers, request.body)
        return answer(desk.kraken.request(sent, desk.now).body)

    prepared = play(entry(protocol).prepare(ticket(symbol=typed)), simulated)
    assert prepared.symbol == "AAPLx/USD"


def test_an_empty_id_names_no_order() -> None:
    with pytest.raises(UsageError):
        play(entry().get(""), lists({}, {}, []))
    with pytest.raises(UsageError):
        play(entry().open_orders({"client_id": ""}), lists({}, {}, []))


def test_a_pair_that_kraken_does_not_know_is_refused() -> None:
    unknown = answer({"error": ["EQuery:Unknown asset pair"]})
    with pytest.raises(Refused, match="knows no pair 'NO/SUCH'") as refused:
        play(entry().prepare(ticket(symbol="NO/SUCH")), lambda *_: unknown)
    assert refused.value.exit == 4


@pytest.mark.parametrize(
    ("protocol", "side", "leverage", "says"),
    [
        ("v2", "buy", "3", "largest leverage, 5"),
        ("v2", "buy", "4", "no leverage 4"),
        ("v1", "sell", "2", "no leverage 2"),
    ],
)
def test_a_leverage_that_would_not_be_had_is_refused(
    protocol: str, side: str, leverage: str, says: str
) -> None:
    order = ticket("limit", side, leverage=leverage)
    with pytest.raises(UsageError, match=says):
        play(entry(protocol).prepare(order), pair_answers([]))


@pytest.mark.parametrize(("protocol", "leverage"), [("v2", "5"), ("v1", "3"), ("v1", "5")])
def test_a_leverage_that_the_pair_has_is_taken(protocol: str, leverage: str) -> None:
    play(entry(protocol).prepare(ticket(leverage=leverage)), pair_answers([]))


# --- answers -------------------------------------------------------------------------------


def replies(protocol: str, message: dict[str, Any]) -> list[Any]:
    desk = desk_v2() if protocol == "v2" else desk_v1()
    return list(desk.receive(json.dumps(message).encode(), NOW))


TAKEN = [
    (
        "v2",
        {
            "method": "add_order",
            "req_id": 1003,
            "success": True,
            "result": {"order_id": "OAAAAA-BBBBB-CCCCCC", "cl_ord_id": UUID, "warnings": ["old"]},
        },
        ("old",),
    ),
    (
        "v1",
        {
            "event": "addOrderStatus",
            "reqid": 1003,
            "status": "ok",
            "txid": "OAAAAA-BBBBB-CCCCCC",
            "descr": "buy",
        },
        (),
    ),
]


@pytest.mark.parametrize(("protocol", "message", "warnings"), TAKEN)
def test_an_order_that_is_taken_is_named(
    protocol: str, message: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    [answered] = replies(protocol, message)
    assert answered == Answered(3, ("OAAAAA-BBBBB-CCCCCC",), None, warnings)


@pytest.mark.parametrize("result", [{}, None])
def test_a_validation_names_no_order(result: Any) -> None:
    message = {"method": "add_order", "req_id": 1001, "success": True, "result": result}
    assert replies("v2", message) == [Answered(1)]


def refusals(protocol: str, text: str) -> PrivstreamError:
    message = (
        {"method": "add_order", "req_id": 1001, "success": False, "error": text}
        if protocol == "v2"
        else {"event": "addOrderStatus", "reqid": 1001, "status": "error", "errorMessage": text}
    )
    [answered] = replies(protocol, message)
    assert isinstance(answered, Answered)
    assert answered.error is not None
    if isinstance(answered.error, Refused):  # of the others the hint is the engine's affair
        assert answered.error.hint
    return answered.error


@pytest.mark.parametrize("protocol", ["v2", "v1"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("EOrder:Insufficient funds", Refused),
        ("EOrder:Order minimum not met", Refused),
        ("EOrder:Post only order", Refused),
        ("EOrder:Rate limit exceeded", Refused),
        ("EService:Market in cancel_only mode", Refused),
        ("Currency pair not supported AAA/BBB", Refused),
        ("EGeneral:Invalid arguments:cl_ord_id not unique", Refused),
        ("EOrder:Unknown order", UnknownOrder),
        ("EGeneral:Permission denied", PermissionMissing),
        # Whether the order exists is not known after these.
        ("EService:Unavailable", Unavailable),
        ("EService:Deadline elapsed", Unavailable),
        ("EGeneral:Internal error", Unavailable),
        # Nothing was placed, and a new token may do.
        ("ESession:Invalid session", TokenRefused),
    ],
)
def test_a_refusal_has_krakens_words_and_what_to_do(
    protocol: str, text: str, kind: type[PrivstreamError]
) -> None:
    error = refusals(protocol, text)
    assert type(error) is kind
    assert text in error.message


ODD_REFUSALS: list[tuple[Any, str]] = [
    (["EOrder:Insufficient funds"], "EOrder:Insufficient funds"),
    (["EOrder:Insufficient funds", "", None], "EOrder:Insufficient funds"),
    ({"code": 3}, '{"code":3}'),
    ({"code": 3, "message": "no funds"}, "no funds"),
    ("", "says no reason"),
    ([], "says no reason"),
    (None, "says no reason"),
]


@pytest.mark.parametrize("protocol", ["v2", "v1"])
@pytest.mark.parametrize(("said", "told"), ODD_REFUSALS)
def test_a_refusal_is_told_in_whatever_shape_it_says_why(
    protocol: str, said: Any, told: str
) -> None:
    error = refusals(protocol, said)
    assert type(error) is Refused
    assert told in error.message


NEITHER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("v2", {"method": "add_order", "req_id": 1001}, {"result": {"order_id": "O1"}}),
    ("v1", {"event": "addOrderStatus", "reqid": 1001}, {"txid": "O1"}),
]


@pytest.mark.parametrize("word", ["true", 1, None])
@pytest.mark.parametrize(("protocol", "answer", "order"), NEITHER)
def test_an_answer_without_a_plain_yes_is_no_refusal(
    protocol: str, answer: dict[str, Any], order: dict[str, Any], word: Any
) -> None:
    """The order may exist: where the answer names it, it does."""
    said = {**answer, ("success" if protocol == "v2" else "status"): word}
    [open_] = replies(protocol, said)
    assert isinstance(open_, Answered)
    assert type(open_.error) is Unreachable
    assert replies(protocol, {**said, **order}) == [Answered(1, ("O1",))]


def test_the_right_that_is_missing_for_trading_is_named() -> None:
    assert "Create & modify orders" in (refusals("v2", "EGeneral:Permission denied").hint or "")


def test_answers_to_nobody_are_told_as_before() -> None:
    """Another program may place orders on the same account; errors of our own have numbers."""
    alien = {"method": "add_order", "success": False, "error": "EOrder:Insufficient funds"}
    [notice] = replies("v2", alien)
    assert notice.level == "error"


ONE, OTHER = "OAAAAA-BBBBB-CCCCCC", "OAAAAA-BBBBB-DDDDDD"
UNNUMBERED: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "v2": (
        desk_v2,
        {"method": "add_order", "success": False, "error": "EOrder:Insufficient funds"},
        {"method": "cancel_order", "success": False, "error": "EOrder:Unknown order"},
    ),
    "v1": (
        desk_v1,
        {
            "event": "addOrderStatus",
            "status": "error",
            "errorMessage": "EOrder:Insufficient funds",
        },
        {"event": "cancelOrderStatus", "status": "error", "errorMessage": "EOrder:Unknown order"},
    ),
}


def hears(desk: Any, *messages: dict[str, Any]) -> list[Any]:
    return [a for m in messages for a in desk.receive(json.dumps(m).encode(), NOW)]


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_a_refusal_without_a_number_is_that_of_the_order_under_way(protocol: str) -> None:
    make, refused, _ = UNNUMBERED[protocol]
    desk = make()
    desk.place_message(ticket(), 1)
    [answered] = hears(desk, refused)
    assert (answered.request, type(answered.error)) == (1, Refused)
    assert "Insufficient funds" in answered.error.message
    [notice] = hears(desk, refused)  # and a second one is nobody's
    assert notice.level == "error"


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_an_error_that_names_no_call_is_that_of_the_only_one_under_way(protocol: str) -> None:
    desk = UNNUMBERED[protocol][0]()
    desk.place_message(ticket(), 1)
    [answered] = hears(desk, {"event": "error", "errorMessage": "Malformed request"})
    assert (answered.request, type(answered.error)) == (1, Refused)


@pytest.mark.parametrize(("protocol", "name"), [("v1", "reqid"), ("v2", "req_id")])
def test_an_error_that_names_only_the_number_is_that_requests(protocol: str, name: str) -> None:
    desk = UNNUMBERED[protocol][0]()
    desk.place_message(ticket(), 1)
    desk.place_message(ticket(), 2)
    error = {"event": "error", "errorMessage": "Malformed request"}
    assert [answered.request for answered in hears(desk, error | {name: 1002})] == [2]
    [notice] = hears(desk, error | {name: 5})
    assert notice.level == "error"


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_cancels_that_were_all_refused_alike_need_no_numbers(protocol: str) -> None:
    make, _, refused = UNNUMBERED[protocol]
    desk = make()
    for number, order_id in enumerate((ONE, OTHER), start=1):
        desk.cancel_message(order_id, number)
    assert hears(desk, refused) == []
    assert [answered.request for answered in hears(desk, refused)] == [1, 2]


def test_a_cancel_that_is_told_by_its_order_leaves_the_refusal_to_the_other() -> None:
    desk, refused = desk_v2(), UNNUMBERED["v2"][2]
    for number, order_id in enumerate((ONE, OTHER), start=1):
        desk.cancel_message(order_id, number)
    done = {"method": "cancel_order", "success": True, "result": {"order_id": OTHER}}
    assert hears(desk, refused) == []
    first, second = hears(desk, done)
    assert (first.request, first.error, second.request) == (2, None, 1)
    assert isinstance(second.error, UnknownOrder)


def test_of_cancels_that_ended_differently_nobody_guesses_which_was_refused() -> None:
    desk, (_, _, refused) = desk_v1(), UNNUMBERED["v1"]
    for number, order_id in enumerate((ONE, OTHER), start=1):
        desk.cancel_message(order_id, number)
    assert hears(desk, refused, {"event": "cancelOrderStatus", "status": "ok"}) == []


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_what_the_accounts_country_forbids_no_right_of_the_key_mends(protocol: str) -> None:
    text = "EAccount:Invalid permissions:STBL trading restricted for NL."
    error = refusals(protocol, text)
    assert (type(error), error.category, error.exit) == (Refused, "refused", 4)
    assert text in error.message
    assert "country" in (error.hint or "")
    assert "right" not in (error.hint or "")


@pytest.mark.parametrize(
    ("protocol", "order_id", "fields"),
    [
        ("v2", "OAAAAA-BBBBB-CCCCCC", '"order_id":["OAAAAA-BBBBB-CCCCCC"]'),
        ("v2", UUID, f'"cl_ord_id":["{UUID}"]'),
        ("v1", "OAAAAA-BBBBB-CCCCCC", '"txid":["OAAAAA-BBBBB-CCCCCC"]'),
        ("v1", "grid-7", '"cl_ord_id":["grid-7"]'),
    ],
)
def test_an_order_is_canceled_by_either_id(protocol: str, order_id: str, fields: str) -> None:
    desk = desk_v2() if protocol == "v2" else desk_v1()
    assert fields in desk.cancel_message(order_id, 1).text


@pytest.mark.parametrize("desk", [desk_v2, desk_v1])
def test_the_token_is_sent_and_never_shown(desk: Any) -> None:
    for send in (
        desk().place_message(ticket(), 1),
        desk().cancel_message("x", 2),
        desk().cancel_all_message(3),
    ):
        assert TOKEN in send.text
        assert TOKEN not in send.shown
        assert TOKEN not in repr(send)


# --- looking for an order ------------------------------------------------------------------


def row(opened_ns: int, **more: Any) -> dict[str, Any]:
    described = {"pair": "ETH/EUR", "type": "buy", "ordertype": "limit", "price": "1890.10"}
    seconds = f"{opened_ns // 10**9}.{opened_ns % 10**9 // 1000:06d}"
    return {
        "status": "open",
        "opentm": float(seconds),
        "descr": described,
        "vol": "0.250",
        "vol_exec": "0",
        "cl_ord_id": UUID,
        **more,
    }


def lists(open_rows: dict[str, Any], closed_rows: dict[str, Any], calls: list[str]) -> Any:
    def respond(_: Any, request: HttpRequest) -> Any:
        calls.append(f"{request.path} {request.body.decode().partition('&')[2]}")
        if request.path.endswith("OpenOrders"):
            return answer({"error": [], "result": {"open": open_rows}})
        return answer({"error": [], "result": {"closed": closed_rows, "count": len(closed_rows)}})

    return respond


def found_by(order: Ticket, respond: Any) -> list[str]:
    reports = play(entry().find(order, STAMP.now.wall_ns), respond)
    return [report.order_id for report in reports if isinstance(report, OrderReport)]


def test_an_order_is_found_by_its_client_id_in_both_lists() -> None:
    sent_ns, calls = STAMP.now.wall_ns, list[str]()
    respond = lists({"O-OPEN": row(sent_ns)}, {"O-OLD": row(sent_ns - 60 * 10**9)}, calls)
    assert found_by(ticket(client_order_id=UUID), respond) == ["O-OPEN"]
    assert calls == [
        f"/0/private/OpenOrders cl_ord_id={UUID}",
        f"/0/private/ClosedOrders cl_ord_id={UUID}",
    ]


def test_all_orders_of_a_users_reference_are_brought_since_their_terms_are_compared_later() -> None:
    sent_ns = STAMP.now.wall_ns
    other = row(sent_ns, descr={**row(sent_ns)["descr"], "type": "sell"})
    respond = lists({"O-OURS": row(sent_ns), "O-OTHER": other}, {}, [])
    assert found_by(ticket(userref="7"), respond) == ["O-OURS", "O-OTHER"]


def test_an_order_that_rest_does_not_know_is_not_found() -> None:
    assert found_by(ticket(client_order_id=UUID), lists({}, {}, [])) == []


def test_of_several_orders_with_one_client_id_the_latest_is_meant() -> None:
    rows = {"O-1": row(10**18), "O-3": row(3 * 10**18), "O-2": row(2 * 10**18)}
    [report] = play(entry().get(UUID), lists({}, rows, []))
    assert isinstance(report, OrderReport)
    assert report.order_id == "O-3"


def test_a_client_id_that_nobody_has_is_an_unknown_order() -> None:
    with pytest.raises(UnknownOrder):
        play(entry().get("grid-7"), lists({}, {}, []))


def test_open_orders_are_filtered_by_krakens_own_filters() -> None:
    calls: list[str] = []
    play(entry().open_orders({"userref": "7"}), lists({}, {}, calls))
    assert calls == ["/0/private/OpenOrders userref=7"]
    with pytest.raises(UsageError):
        play(entry().open_orders({"color": "red"}), lists({}, {}, []))


def test_relative_times_of_v2_count_by_the_clock_that_its_answers_show() -> None:
    desk = desk_v2()
    ack = {"method": "subscribe", "req_id": 1, "success": True, "result": {"channel": "executions"}}
    hears(desk, ack | {"time_out": "2026-05-28T19:00:00.200000Z", "time_in": "soon"})
    order = ticket(time_in_force="gtd", expire="+60", start="+5")
    text = desk.place_message(order, 1).text
    assert '"expire_time":"2026-05-28T19:01:01Z"' in text
    assert '"effective_time":"2026-05-28T19:00:06Z"' in text


@pytest.mark.parametrize("typed", ["2026-02-30T08:00:00Z", "2027-13-01T08:00:00Z"])
@pytest.mark.parametrize("option", ["start", "expire"])
def test_a_day_that_no_calendar_has_is_a_usage_error(option: str, typed: str) -> None:
    force = {"time_in_force": "gtd"} if option == "expire" else {}
    with pytest.raises(UsageError, match="is no time"):
        entry().check(ticket(**force, **{option: typed}))

"""Bitfinex's private REST API: answers, errors, reading back.

The one rule: the body decides, whatever the HTTP status: `["error",CODE,TEXT]` comes
with 500. Source: protocols/bitfinex.md section 6 (checked 2026-11-20).
"""

from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from msgspec import structs

from privstream.exchanges.base import each
from privstream.exchanges.bitfinex.refusals import BUSY, NonceRefused, code_of, error_for
from privstream.exchanges.bitfinex.rows import Origin, Row, read_fill, read_order, read_wallet
from privstream.exchanges.bitfinex.signing import signed_request
from privstream.model.account import Account
from privstream.model.errors import PrivstreamError, Refused, Unavailable
from privstream.model.exact import Malformed, decode
from privstream.model.http_errors import is_json, unavailable
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Known, Listed, OrderReport
from privstream.model.rest import Call, HttpResponse, RestFlow

FILLS_PAGE = 1000  # rows of trades/hist that every source agrees on
ORDERS_PAGE = 500  # rows of orders/hist, likewise; also ids asked for at once
OVERLAP_NS = 60 * 10**9  # read from before the last whole moment (sheet section 6)
WHOLE_SECOND_NS = 10**9  # REST has told times cut to whole seconds
KEPT_NS = 14 * 86_400 * 10**9  # closed orders are kept about two weeks
NONCE_TRIES = 2

HISTORY = "auth/r/orders/hist"
"""Of orders that are over."""
REST = Origin("rest")
Part = RestFlow[Backfill]


# --- asking ----------------------------------------------------------------------------


def ask(account: Account, path: str, **parameters: Any) -> RestFlow[list[Row]]:
    """Call a private path and return its rows; a refused nonce is tried once more."""
    call = Call(
        build=partial(signed_request, account, f"/v2/{path}", parameters), name=path, nonce=True
    )
    for tries_left in reversed(range(NONCE_TRIES)):
        response = yield call
        try:
            return read_rows(response, path)
        except NonceRefused:
            if not tries_left:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


def read_rows(response: HttpResponse, path: str) -> list[Row]:
    """The rows of an answer. Raises what its error means."""
    if not is_json(response):
        raise unavailable(response, "Bitfinex")
    try:
        answer = decode(response.body)
    except Malformed as problem:
        message = f"Bitfinex answered {path} with no answer of its own"
        raise Unavailable(message, floor=BUSY) from problem
    if (problem_told := _error_in(answer, path)) is not None:
        raise problem_told
    if response.status != HTTPStatus.OK or not isinstance(answer, list):
        raise unavailable(response, "Bitfinex")
    return answer


def _error_in(answer: object, path: str) -> PrivstreamError | None:
    if isinstance(answer, list) and answer[:1] == ["error"]:
        code, text = (*answer[1:3], None, None)[:2]
        return error_for(code_of(code), str(text), path)
    if isinstance(answer, dict):
        text = answer.get("error") or answer.get("message")
        return error_for(code_of(answer.get("code")), str(text), path)
    return None


# --- reading ---------------------------------------------------------------------------


def fills_since(account: Account, since_ns: int) -> RestFlow[tuple[AnyReport, ...]]:
    """The fills since a moment, oldest first."""
    return (yield from _fills(account, _millis(since_ns - WHOLE_SECOND_NS)))


def _fills(account: Account, start: int) -> RestFlow[tuple[AnyReport, ...]]:
    """All pages, oldest first: each begins with the last moment of the one before."""
    rows: dict[str, Row] = {}
    while True:
        page = yield from ask(account, "auth/r/trades/hist", start=start, limit=FILLS_PAGE, sort=1)
        rows |= {_name(row): row for row in page}
        # A page full of one moment would come again and again.
        start = max([start + 1, *(_moment(row, 2) for row in page)])
        if len(page) < FILLS_PAGE:
            return tuple(each(rows.values(), partial(read_fill, origin=REST)))


def _name(row: Row) -> str:
    """One row is another one's repetition when all of it is the same."""
    return str(row)


def _moment(row: object, index: int) -> int:
    """A row's time in milliseconds; 0 where it has none."""
    value = row[index] if isinstance(row, list) and len(row) > index else None
    whole = str(value).partition(".")[0]  # some bear decimals
    return int(whole) if whole.isdecimal() else 0


def look_up(account: Account, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole, where they are open or ended of late."""
    reports: list[AnyReport] = []
    wanted = sorted(int(order_id) for order_id in order_ids if order_id.isdecimal())
    for begin in range(0, len(wanted), ORDERS_PAGE):
        batch = wanted[begin : begin + ORDERS_PAGE]
        found = yield from _orders(account, "auth/r/orders", id=batch)
        open_ids = {report.order_id for report in found if isinstance(report, OrderReport)}
        rest = [order_id for order_id in batch if str(order_id) not in open_ids]
        reports += found
        if rest:
            reports += yield from _orders(account, HISTORY, id=rest, limit=ORDERS_PAGE)
    return tuple(reports)


def open_orders(account: Account) -> RestFlow[Backfill]:
    """The orders that stand."""
    reports = yield from _orders(account, "auth/r/orders")
    return Backfill((*reports, Listed("orders")), complete=True)


def balances(account: Account) -> RestFlow[tuple[BalanceReport, ...]]:
    """What is in the wallets, rounded to eight decimals. Whatever changed them is past."""
    rows = yield from ask(account, "auth/r/wallets")
    reports = each(rows, partial(read_wallet, origin=REST))
    found = (report for report in reports if isinstance(report, BalanceReport))
    return tuple(structs.replace(report, reason=None) for report in found)


def _orders(account: Account, path: str, **parameters: Any) -> RestFlow[tuple[AnyReport, ...]]:
    rows = yield from ask(account, path, **parameters)
    return tuple(each(rows, partial(read_order, origin=REST, is_over=path == HISTORY)))


# --- reading back ----------------------------------------------------------------------


def backfill(account: Account, known: Known, clock_ns: int) -> RestFlow[Backfill]:
    """Fills and closed orders since, and what became of the orders in doubt.

    Balances, positions and open orders are listed by the socket itself. The start was
    taken from our clock, and the server's may be behind it by `-clock_ns`.
    """
    start = _millis(known.since_ns + min(clock_ns, 0) - OVERLAP_NS)
    parts: list[Part] = []
    if "trades" in known.channels:
        parts.append(_all_fills(account, start))
    if "orders" in known.channels:
        parts += [_closed_orders(account, known, start), _suspects(account, known)]
    reports: list[Any] = []
    details: list[str] = []
    for part in parts:
        try:
            found = yield from part
        except Refused as problem:
            details.append(
                f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            )
        else:
            reports += found.reports
            details += [found.detail] if found.detail else []
    return Backfill(tuple(reports), complete=not details, detail="; ".join(details) or None)


def _all_fills(account: Account, start: int) -> Part:
    reports = yield from _fills(account, start)
    return Backfill(reports, complete=True)


def _millis(nanos: int) -> int:
    return max(nanos // 10**6, 1)


def _closed_orders(account: Account, known: Known, start: int) -> Part:
    """All pages, newest first: each ends with the earliest moment of the one before."""
    rows: dict[str, Row] = {}
    window, detail = {"start": start}, None
    if known.until_ns - known.since_ns > KEPT_NS:
        detail = "Bitfinex keeps closed orders for about two weeks only"
    while True:
        page = yield from ask(account, HISTORY, **window, limit=ORDERS_PAGE)
        news = {_name(row): row for row in page}.keys() - rows.keys()
        rows |= {_name(row): row for row in page}
        if len(page) < ORDERS_PAGE:
            break
        if not news:
            detail = "Bitfinex lists more closed orders than it gives out"
            break
        # Whether the window is over creations or changes is not documented: the change is
        # the later one, so nothing is skipped.
        window["end"] = min(_moment(row, 5) for row in page)
    reports = tuple(each(rows.values(), partial(read_order, origin=REST, is_over=True)))
    return Backfill(reports, complete=detail is None, detail=detail)


def _suspects(account: Account, known: Known) -> Part:
    reports = yield from look_up(account, known.suspects)
    found = {report.order_id for report in reports if isinstance(report, OrderReport)}
    lost = sorted(known.suspects - found)
    detail = f"what became of order {', '.join(lost)} could not be found" if lost else None
    return Backfill(reports, complete=not lost, detail=detail)

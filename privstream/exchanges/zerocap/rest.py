"""Zerocap's REST API: signed headers, answers, lists of orders, balances, reading back.

The one rule: a list counts as whole only when as many rows came as it says it has.
Source: protocols/zerocap.md sections 1, 2 and 4 (checked 2026-11-20).
"""

import hashlib
import hmac
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from privstream.exchanges.base import each
from privstream.exchanges.zerocap.balances import Wallets
from privstream.exchanges.zerocap.elements import read_order_push
from privstream.exchanges.zerocap.privacy import veiled
from privstream.exchanges.zerocap.refusals import error_for
from privstream.model.account import Account, Secret
from privstream.model.errors import Refused, Unavailable
from privstream.model.events import Source
from privstream.model.exact import Malformed, decode
from privstream.model.http_errors import OUTAGE_FLOOR, check, excerpt, is_html
from privstream.model.reports import AnyReport, Backfill, Known, Listed
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

PAGE = 500  # rows of fetch_orders: the default and the most
MOST_PAGES = 200  # 100,000 orders in one gap: then it is said that there were more
IDS = 100  # ids in one question; none is documented
OVERLAP_MS = 60_000  # the times of orders are whole seconds, and no two clocks agree
REFUSALS = frozenset(range(400, 500)) - {429}  # 429 has a Retry-After to be heeded

Reports = tuple[AnyReport | Listed, ...]


def signature(secret: Secret, timestamp: str) -> str:
    """Hex HMAC-SHA256 of the timestamp; path and body are not signed."""
    return hmac.new(secret.reveal().encode(), timestamp.encode(), hashlib.sha256).hexdigest()


def signed_headers(account: Account, stamp: Stamp) -> dict[str, str]:
    """The same for a handshake and for a call; good for 30 seconds."""
    timestamp = str(stamp.now.wall_ns // 10**9)  # with decimals it is refused
    return {
        "api-key": account.api_key.reveal(),
        "timestamp": timestamp,
        "signature": signature(account.api_secret, timestamp),
    }


def ask(
    account: Account, method: Literal["GET", "POST"], name: str, body: dict[str, Any] | None = None
) -> RestFlow[dict[str, Any]]:
    """One signed call and its answer."""
    return read_answer((yield signed_call(account, method, name, body)), name)


def signed_call(
    account: Account, method: Literal["GET", "POST"], name: str, body: dict[str, Any] | None = None
) -> Call:
    """One signed call."""

    def build(stamp: Stamp) -> HttpRequest:
        headers = signed_headers(account, stamp)
        path = f"/v2/orders/{name}"
        if body is None:
            return HttpRequest(method=method, path=path, headers=headers)
        headers["Content-Type"] = "application/json"
        return HttpRequest(
            method=method, path=path, headers=headers, body=msgspec.json.encode(body)
        )

    return Call(build=build, name=name)


def read_answer(response: HttpResponse, name: str) -> dict[str, Any]:
    """The answer's object, which says how the request went. Raises what that means."""
    answer = read_object(response, name)
    # `success` or `successful`, by the call.
    if not str(answer.get("status", "success")).startswith("success"):
        raise Unavailable(
            f"Zerocap answered {name} with status {excerpt(str(answer['status']))}",
            floor=OUTAGE_FLOOR,
        )
    return answer


def read_object(response: HttpResponse, name: str) -> dict[str, Any]:
    """The answer's object. Raises what its HTTP status means; a refusal may be plain text."""
    if response.status in REFUSALS and not is_html(response):
        raise error_for(str(response.status), _said(response.body), name)
    check(response, "Zerocap")
    try:
        answer = decode(response.body)
    except Malformed as problem:
        raise _no_answer(name) from problem
    if not isinstance(answer, dict):
        raise _no_answer(name)
    return answer


def _no_answer(name: str) -> Unavailable:
    return Unavailable(f"Zerocap answered {name} with no answer of its own", floor=OUTAGE_FLOOR)


def _said(body: bytes) -> str:
    """The words of a refusal, whether it is plain text or an object around them."""
    try:
        answer = decode(body)
    except Malformed:
        return excerpt(body)
    if isinstance(answer, dict):
        for key in ("error_message", "message", "detail", "error"):
            if answer.get(key):
                return excerpt(str(answer[key]))
    return excerpt(answer if isinstance(answer, str) else body)


# --- lists -----------------------------------------------------------------------------


class Rows(NamedTuple):
    """Orders as they were answered."""

    rows: list[Any]
    whole: bool = True
    """As many came as the exchange says there are."""

    def ids(self) -> frozenset[str]:
        return frozenset(str(row.get("id")) for row in self.rows if isinstance(row, dict))


def fetch_orders(account: Account, *, most: int | None = None, **wanted: Any) -> RestFlow[Rows]:
    """All pages. A server may give fewer rows a page than asked for, so the sum decides.

    With `most`, so many rows at most, of which that is the whole.
    """
    rows: list[Any] = []
    for page in range(1, MOST_PAGES + 1):
        body = {**_ANY_ORDER, **wanted, "page": page}
        answer = yield from ask(account, "POST", "fetch_orders", body)
        found = answer.get("order_list")
        if not isinstance(found, list):
            raise _no_answer("fetch_orders")
        rows += found
        total = answer.get("total")
        if not isinstance(total, int):  # then a short page is the last one
            total = len(rows) + (len(found) >= PAGE)
        if most is not None:
            total = min(total, most)
        if not found or len(rows) >= total:
            return Rows(rows[:most], len(rows) >= total)
    return Rows(rows, whole=False)


# All keys are always sent; an empty one means any (sheet section 4).
_ANY_ORDER: dict[str, Any] = {
    "symbol": "",
    "start_datetime": 0,
    "end_datetime": 0,
    "page": 1,
    "limit": PAGE,
    "ids": "",
    "status": "",
    "sort_order": "desc",
    "order_type": "",
    "side": "",
}


def _fetch_named(account: Account, order_ids: Iterable[str]) -> RestFlow[Rows]:
    ids = sorted(order_ids)
    rows: list[Any] = []
    for start in range(0, len(ids), IDS):
        found = yield from fetch_orders(account, ids=",".join(ids[start : start + IDS]))
        rows += found.rows
    return Rows(rows)


def read_orders(
    found: Rows, source: Source, known_open: frozenset[str] | None = None
) -> tuple[AnyReport, ...]:
    """Whole orders and their fills. One that nobody knew gets the only time it states."""

    def read(row: Any) -> Iterator[AnyReport]:
        dated = known_open is not None and row["id"] not in known_open
        return read_order_push(row, source, dated=dated)

    return tuple(map(veiled, each(found.rows, read)))


# --- flows -----------------------------------------------------------------------------


def look_up(account: Account, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole, with their fills."""
    return read_orders((yield from _fetch_named(account, order_ids)), "rest")


def balances(account: Account, wallets: Wallets, source: Source) -> RestFlow[Reports]:
    """What is in every account."""
    answer = yield from ask(account, "GET", "get_balances")
    return tuple(map(veiled, wallets.read(answer, source)))


def picture(account: Account, wallets: Wallets, channels: tuple[str, ...]) -> RestFlow[Backfill]:
    """Open orders with the fills they have so far, and balances."""
    reports: list[AnyReport | Listed] = []
    problems: list[str] = []
    if _ORDERS & set(channels):
        found = yield from fetch_orders(account, status="open")
        reports += read_orders(found, "snapshot")
        reports += _end_of(found, problems)
    if "balances" in channels:
        reports += yield from balances(account, wallets, "snapshot")
    return _backfill(reports, problems)


def backfill(account: Account, wallets: Wallets | None, known: Known) -> RestFlow[Backfill]:
    """Orders and fills since, what became of the orders held as open, and balances."""
    parts: list[Generator[Call, HttpResponse, Backfill]] = []
    if _ORDERS & set(known.channels):
        parts.append(_missed_orders(account, known))
    if wallets is not None and "balances" in known.channels:
        parts.append(_present_balances(account, wallets))
    reports: list[AnyReport | Listed] = []
    problems: list[str] = []
    for part in parts:
        try:
            found = yield from part
        except Refused as problem:  # what the other part brings is no less true
            problems.append(
                f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            )
        else:
            reports += found.reports
            problems += [found.detail] if found.detail else []
    return _backfill(reports, problems)


_ORDERS = {"orders", "trades"}


def _backfill(reports: list[AnyReport | Listed], problems: list[str]) -> Backfill:
    detail = "; ".join(problems) or None
    return Backfill(tuple(reports), complete=not problems, detail=detail)


def _missed_orders(account: Account, known: Known) -> RestFlow[Backfill]:
    """A list is by when orders were placed, so the older ones are asked for by name."""
    window = {
        "start_datetime": known.since_ns // 10**6 - OVERLAP_MS,
        # What was placed later, the stream has told; newest first, it only repeats rows.
        "end_datetime": known.until_ns // 10**6 + OVERLAP_MS,
    }
    held = known.open_orders | known.suspects
    still_open = yield from fetch_orders(account, status="open")
    placed = yield from fetch_orders(account, **window)
    in_doubt = held - still_open.ids() - placed.ids()
    older = yield from _fetch_named(account, in_doubt)
    problems: list[str] = []
    reports: list[AnyReport | Listed] = []
    for found in (still_open, placed, older):
        reports += read_orders(found, "rest", held)
    _end_of(placed, problems)
    reports += _end_of(still_open, problems)
    if lost := in_doubt - older.ids():
        problems.append(f"Zerocap does not say what became of {', '.join(sorted(lost))}")
    return _backfill(reports, problems)


def _end_of(found: Rows, problems: list[str]) -> list[Listed]:
    if found.whole:
        return [Listed("orders")]
    problems.append(f"Zerocap gave only {len(found.rows)} of the orders that it counts")
    return []


def _present_balances(account: Account, wallets: Wallets) -> RestFlow[Backfill]:
    return Backfill((yield from balances(account, wallets, "rest")), complete=True)

"""Zerocap's REST API: signed headers, answers, lists of orders.

The one rule: a list counts as whole only when as many rows came as it says it has.
Source: the pages of https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from privstream.exchanges.base import each
from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.kit.complaints import KEYS, words_of
from privstream.exchanges.zerocap.elements import read_order_push
from privstream.exchanges.zerocap.privacy import veiled
from privstream.exchanges.zerocap.refusals import error_for
from privstream.model.account import Account, Secret
from privstream.model.errors import PrivstreamError, Unavailable
from privstream.model.events import Source
from privstream.model.exact import Malformed, decode
from privstream.model.http_errors import OUTAGE_FLOOR, excerpt, is_html, sent_at
from privstream.model.reports import AnyReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

PAGE = 500  # rows of fetch_orders: the default and the most
MOST_PAGES = 200  # 100,000 orders in one gap: then it is said that there were more
IDS = 100  # ids in one question; none is documented
OVERLAP_MS = 60_000  # the times of orders are whole seconds, and no two clocks agree
ERROR_KEYS = ("error_message", "error", "detail")
"""Where an answer has words only if something went wrong."""
REFUSED = frozenset(range(400, 500)) - {429}  # 429 has a Retry-After to be heeded

ANSWERS = Answers("Zerocap")

Method: TypeAlias = Literal["GET", "POST"]
Take: TypeAlias = Callable[[list[Any]], object]
"""What becomes of the rows of a page."""


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
    account: Account, method: Method, name: str, body: dict[str, Any] | None = None
) -> RestFlow[dict[str, Any]]:
    """A signed call and its answer; after a passing error it is made again."""
    signed = SignedCall(account, method, name, body)

    def read(response: HttpResponse) -> dict[str, Any]:
        return read_answer(response, name, signed.clock_off(response.headers))

    return (yield from asked(signed.call, read))


class SignedCall:
    """A call, and when it was signed last: a refusal may be about that."""

    def __init__(
        self, account: Account, method: Method, name: str, body: dict[str, Any] | None = None
    ) -> None:
        self._account, self._method, self._body = account, method, body
        self._signed_ns = 0
        self._path = f"/v2/orders/{name}"
        self.call = Call(build=self._build, name=name)

    def _build(self, stamp: Stamp) -> HttpRequest:
        self._signed_ns = stamp.now.wall_ns
        headers = signed_headers(self._account, stamp)
        if self._body is None:
            return HttpRequest(method=self._method, path=self._path, headers=headers)
        headers["Content-Type"] = "application/json"
        body = msgspec.json.encode(self._body)
        return HttpRequest(method=self._method, path=self._path, headers=headers, body=body)

    def clock_off(self, headers: Mapping[str, str]) -> float | None:
        return clock_off(headers, self._signed_ns)


def clock_off(headers: Mapping[str, str], signed_ns: int) -> float | None:
    """Seconds that Zerocap's clock was ahead of a signature, where an answer tells its time."""
    sent = sent_at(headers)
    return None if sent is None else sent - signed_ns // 10**9


def handshake_refused(answer: HttpResponse, signed_ns: int) -> PrivstreamError | None:
    """What an HTTP answer instead of the socket means; `None` where it is not Zerocap's own."""
    if answer.status != HTTPStatus.REQUEST_TIMEOUT or is_html(answer):
        return None
    off = clock_off(answer.headers, signed_ns)
    return error_for(str(answer.status), _said(answer.body), "the connection", off)


def read_answer(
    response: HttpResponse, name: str, clock_off: float | None = None
) -> dict[str, Any]:
    """The answer's object, which says how the request went. Raises what that means."""
    answer = read_object(response, name, clock_off)
    # `success` or `successful`, by the call.
    if "status" not in answer and (said := words_of(answer)):
        raise ANSWERS.lacks(name, said=said)
    if not str(answer.get("status", "success")).startswith("success"):
        raise Unavailable(
            f"Zerocap answered {name} with status {excerpt(str(answer['status']))}",
            floor=OUTAGE_FLOOR,
        )
    return answer


def read_object(
    response: HttpResponse, name: str, clock_off: float | None = None
) -> dict[str, Any]:
    """The answer's object. Raises what its HTTP status means; a refusal may be plain text."""
    if response.status in REFUSED and not is_html(response):
        raise error_for(str(response.status), _said(response.body), name, clock_off)
    return ANSWERS.read_object(ANSWERS.decoded(response, name), name)


def _said(body: bytes) -> str:
    """The words of a refusal, whether it is plain text or an object around them."""
    try:
        answer = decode(body)
    except Malformed:
        return excerpt(body)
    if isinstance(answer, dict):
        return excerpt(words_of(answer, (*ERROR_KEYS, *KEYS)) or body)
    return excerpt(answer if isinstance(answer, str) else body)


# --- lists -----------------------------------------------------------------------------


class Rows(NamedTuple):
    """Orders as they were answered."""

    rows: list[Any]
    whole: bool = True
    """As many came as the exchange says there are."""

    def ids(self) -> frozenset[str]:
        return frozenset(str(row.get("id")) for row in self.rows if isinstance(row, dict))


def fetch_pages(
    account: Account, take: Take, *, most: int | None = None, **wanted: Any
) -> RestFlow[bool]:
    """Give all pages to `take` as they come; returns whether that was the whole list.

    A server may give fewer rows a page than asked for, so the number of different ones decides:
    as many as there were at first. With `most`, so many rows at most, of which that is the whole.
    """
    count, due, seen = 0, None, set[str]()
    for page in range(1, MOST_PAGES + 1):
        answer = yield from ask(
            account, "POST", "fetch_orders", {**_ANY_ORDER, **wanted, "page": page}
        )
        found = ANSWERS.read_list(answer.get("order_list"), "fetch_orders")
        take(found if most is None else found[: most - count])
        count += len(found)
        is_news = not (names := set(map(_name, found))) <= seen
        seen |= names
        due = _due(answer.get("total"), most) if page == 1 else due
        # Without a number a short page is the last one.
        if len(seen) >= due if due is not None else len(found) < PAGE:
            return True
        if not is_news:
            return False
    return False


def _due(total: object, most: int | None) -> int | None:
    """How many rows there are to come, where that is said."""
    if not isinstance(total, int):
        return most
    return total if most is None else min(total, most)


def _name(row: object) -> str:
    """What tells a row from others."""
    return str(row.get("id")) if isinstance(row, dict) else str(row)


def fetch_orders(account: Account, *, most: int | None = None, **wanted: Any) -> RestFlow[Rows]:
    """The rows of all pages together."""
    rows: list[Any] = []
    whole = yield from fetch_pages(account, rows.extend, most=most, **wanted)
    return Rows(rows, whole)


# All keys are always sent; an empty one means any.
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


def fetch_named(account: Account, order_ids: Iterable[str]) -> RestFlow[Rows]:
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

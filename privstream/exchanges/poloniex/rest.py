"""Poloniex's private REST API: signing, answers, pages.

The one rule: what is signed is what is sent, sorted and percent-encoded. Source:
protocols/poloniex.md section 6 (checked 2026-11-20).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from urllib.parse import quote

from privstream.exchanges.poloniex.refusals import BUSY, complaint_of, error_for
from privstream.model.account import Account, Secret
from privstream.model.errors import Unavailable
from privstream.model.exact import Malformed, decode
from privstream.model.http_errors import check
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, RestFlow, Stamp

HISTORY_COST = 5.0
"""The histories allow 10 calls a second, all else 50 (sheet section 6)."""
PAGE = 100
"""The most that /trades gives, and what the others give unasked."""
WEEK = 7 * 24 * 3600 * 1000
"""Milliseconds: longer windows are refused with error 21355."""
DIRECTIONS = ("NEXT", "PRE")
ID_DIGITS = 20
"""Of a 64-bit number."""
UNESCAPED = "~()*!'"
"""Left alone beside letters and digits; a comma is not (sheet section 6)."""


def millis(now: Now) -> str:
    """The clock as signatures have it."""
    return str(now.wall_ns // 10**6)


def sign(secret: Secret, lines: str) -> str:
    """HMAC-SHA256 of the lines, in base64: the same for the socket and for REST."""
    digest = hmac.new(secret.reveal().encode(), lines.encode(), hashlib.sha256)
    return base64.b64encode(digest.digest()).decode()


def signature(secret: Secret, path: str, parameters: Mapping[str, str], timestamp: str) -> str:
    """The signature of a GET: its parameters and the time stamp, sorted by name."""
    signed = query({**parameters, "signTimestamp": timestamp})
    return sign(secret, f"GET\n{path}\n{signed}")


def query(parameters: Mapping[str, str]) -> str:
    """Sorted and percent-encoded."""
    pairs = sorted(parameters.items())
    return "&".join(f"{key}={quote(value, safe=UNESCAPED)}" for key, value in pairs)


def private_call(
    account: Account, path: str, parameters: Mapping[str, str], cost: float = 1.0
) -> Call:
    """A signed GET."""

    def build(stamp: Stamp) -> HttpRequest:
        timestamp = millis(stamp.now)
        headers = {
            "key": account.api_key.reveal(),
            "signTimestamp": timestamp,
            "signature": signature(account.api_secret, path, parameters, timestamp),
        }
        target = f"{path}?{query(parameters)}" if parameters else path
        return HttpRequest(method="GET", path=target, headers=headers)

    return Call(build=build, name=f"GET {path}", cost=cost)


def ask(account: Account, path: str, cost: float = 1.0, **parameters: str) -> RestFlow[Any]:
    """Call and return the decoded answer. Raises what its error means."""
    call = private_call(account, path, parameters, cost)
    response = yield call
    return read_answer(response, call.name)


def ask_for_list(
    account: Account, path: str, cost: float = 1.0, **parameters: str
) -> RestFlow[list[Any]]:
    """The same where a list is the answer; an empty one may be null."""
    answer = yield from ask(account, path, cost, **parameters)
    if answer is None:
        return []
    if not isinstance(answer, list):
        raise Unavailable(f"Poloniex answered GET {path} without a list", floor=BUSY)
    return answer


def read_answer(response: HttpResponse, doing: str) -> Any:
    """The bare result; an error is an object with a code and a text, or just the status."""
    check(response, "Poloniex")
    try:
        answer = decode(response.body)
    except Malformed as problem:
        raise Unavailable(
            f"Poloniex answered {doing} with no answer of its own", floor=BUSY
        ) from problem
    code, text = complaint_of(answer)
    if text or code or response.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        raise error_for(code, text, response.status, doing)
    return answer


# --- pages -----------------------------------------------------------------------------


def windows(since: int, until: int) -> Iterator[dict[str, str]]:
    """The time from `since` to `until`, in milliseconds, in pieces that are not refused."""
    while since <= until:
        end = min(since + WEEK, until)
        yield {"startTime": str(since), "endTime": str(end)}
        since = end + 1


def all_pages(
    account: Account, path: str, cost: float = 1.0, *, page_by: str = "id", **parameters: str
) -> RestFlow[list[Any]]:
    """All rows of a list.

    Which end of a page is the later one, and which `direction` leads to further rows, is
    documented nowhere: a list that does not fit on one page is followed in both from both.
    """
    rows: dict[str, Any] = {}
    page = yield from ask_for_list(account, path, cost, limit=str(PAGE), **parameters)
    first = sorted(_take_new(rows, page, page_by), key=int)
    if len(page) < PAGE or not first:
        return list(rows.values())
    for direction, end in product(DIRECTIONS, (first[0], first[-1])):
        fresh = [end]
        while fresh:
            further = {**parameters, "from": fresh[-1], "direction": direction}
            page = yield from ask_for_list(account, path, cost, limit=str(PAGE), **further)
            fresh = _take_new(rows, page, page_by)
            if len(page) < PAGE:
                break
    return list(rows.values())


def _take_new(rows: dict[str, Any], page: list[Any], page_by: str) -> list[str]:
    """Add what is new; the ids of it, the one farthest from the rows before last."""
    before = max((int(name) for name in rows if name.isdecimal()), default=0)
    fresh: list[str] = []
    for row in page:
        name = _name(row, page_by)
        if name is None:
            rows[f"unreadable {len(rows)}"] = row  # told as a notice by its reader
        elif name not in rows:
            rows[name] = row
            fresh.append(name)
    if before:
        fresh.sort(key=int, reverse=bool(fresh) and int(fresh[0]) < before)
    return fresh


def _name(row: Any, page_by: str) -> str | None:
    """The id that a further page can begin at."""
    if not isinstance(row, dict):
        return None
    name = str(row.get(page_by) or row.get("id") or "")
    return name if name.isdecimal() and len(name) <= ID_DIGITS else None

"""Poloniex's private REST API: signing, answers, pages.

The one rule: what is signed is what is sent, sorted and percent-encoded. Source:
https://api-docs.poloniex.com/spot/api, checked 2026-11-20.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import ge, le
from typing import Any, TypeAlias
from urllib.parse import quote

from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.poloniex.refusals import complaint_of, error_for
from privstream.model.account import Account, Secret
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, RestFlow, Stamp

HISTORY_COST = 5.0
"""The histories allow 10 calls a second, all else 50."""
PAGE = 100
"""The most that /trades gives, and what the others give unasked."""
WEEK = 7 * 24 * 3600 * 1000
"""Milliseconds: longer windows are refused with error 21355."""
DIRECTIONS = ("NEXT", "PRE")
ENDS = ((min, le), (max, ge))
"""Of the ids of a list: which is the last one, and whether another is beyond it."""
ID_DIGITS = 20
"""Of a 64-bit number."""
Take: TypeAlias = Callable[[list[Any]], None]
"""What becomes of the rows of a page."""
ANSWERS = Answers("Poloniex")
UNESCAPED = "~()*!'"
"""Left alone beside letters and digits; a comma is not."""


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
    return (yield from asked(call, partial(read_answer, doing=call.name)))


def ask_for_list(
    account: Account, path: str, cost: float = 1.0, **parameters: str
) -> RestFlow[list[Any]]:
    """The same where a list is the answer; an empty one may be null."""
    call = private_call(account, path, parameters, cost)
    return (yield from asked(call, partial(_read_list, doing=call.name)))


def read_answer(response: HttpResponse, doing: str) -> Any:
    """The bare result; an error is an object with a code and a text, or just the status."""
    answer = ANSWERS.decoded(response, doing)
    code, text = complaint_of(answer)
    if text or code or response.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        raise error_for(code, text, response.status, doing)
    return answer


def _read_list(response: HttpResponse, doing: str) -> list[Any]:
    answer = read_answer(response, doing)
    return [] if answer is None else ANSWERS.read_list(answer, doing, "a list")


# --- pages -----------------------------------------------------------------------------


def windows(since: int, until: int) -> Iterator[dict[str, str]]:
    """The time from `since` to `until`, in milliseconds, in pieces that are not refused."""
    while since <= until:
        end = min(since + WEEK, until)
        yield {"startTime": str(since), "endTime": str(end)}
        since = end + 1


def all_pages(
    account: Account,
    path: str,
    take: Take,
    cost: float = 1.0,
    *,
    page_by: str = "id",
    **parameters: str,
) -> RestFlow[bool]:
    """Give all rows of a list to `take`, page by page, each once; returns whether it was whole.

    Which end of a page is the later one, and which `direction` leads to further rows, is
    documented nowhere: a list that does not fit on one page is followed in both from both, and
    is whole where beyond either end no further row came.
    """
    rows = _Rows(page_by, take)

    def ask_for(**further: str) -> RestFlow[list[Any]]:
        asked_for = {"limit": str(PAGE), **parameters, **further}
        return (yield from ask_for_list(account, path, cost, **asked_for))

    page = yield from ask_for()
    rows.take_new(page)
    if len(page) < PAGE:
        return True
    ends = 0
    for farthest, is_beyond in ENDS:
        end, has_ended = rows.end(farthest), False
        for direction in DIRECTIONS:
            fresh = end
            while fresh:
                last = fresh[-1]
                page = yield from ask_for(**{"from": last}, direction=direction)
                fresh = rows.take_new(page)
                if len(page) < PAGE:
                    has_ended = has_ended or rows.are_all(is_beyond, page, last)
                    break
        ends += has_ended
    return ends == len(ENDS)


class _Rows:
    """The rows of a list, each once."""

    def __init__(self, page_by: str, take: Take) -> None:
        self._page_by, self._take = page_by, take
        self._names: set[str] = set()
        self._last = 0

    def take_new(self, page: list[Any]) -> list[str]:
        """Pass on what is new; the ids of it, the one farthest from the rows before last."""
        before, fresh, new = self._last, [], []
        for row in page:
            name = _name(row, self._page_by)
            if name is None or name not in self._names:
                new.append(row)  # one without its id is told as a notice by its reader
            if name is not None and name not in self._names:
                self._names.add(name)
                fresh.append(name)
        self._take(new)
        self._last = max([before, *map(int, fresh)])
        if before:
            fresh.sort(key=int, reverse=bool(fresh) and int(fresh[0]) < before)
        return fresh

    def end(self, farthest: Callable[[Iterable[int]], int]) -> list[str]:
        """The id at an end of all that has come; none where no row has one."""
        return [str(farthest(map(int, self._names)))] if self._names else []

    def are_all(self, is_beyond: Callable[[int, int], bool], page: list[Any], last: str) -> bool:
        """Whether no row of a page leads back to those before."""
        names = (_name(row, self._page_by) for row in page)
        return all(is_beyond(int(name), int(last)) for name in names if name is not None)


def _name(row: Any, page_by: str) -> str | None:
    """The id that a further page can begin at."""
    if not isinstance(row, dict):
        return None
    name = str(row.get(page_by) or row.get("id") or "")
    return name if name.isdecimal() and len(name) <= ID_DIGITS else None

"""Bitfinex's private REST API: what is asked, and how answers are read.

The one rule: the body decides, whatever the HTTP status: `["error",CODE,TEXT]` comes
with 500. Source: docs.bitfinex.com/reference (rest-auth), checked 2026-11-30.
"""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias

from msgspec import structs

from privstream.exchanges.base import MALFORMED, each
from privstream.exchanges.bitfinex.memory import Memory
from privstream.exchanges.bitfinex.refusals import code_of, error_for
from privstream.exchanges.bitfinex.rows import Origin, Row, read_fill, read_order, read_wallet
from privstream.exchanges.bitfinex.signing import signed_request
from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.kit.complaints import words_in, words_of
from privstream.model.account import Account
from privstream.model.errors import Interrupted, PrivstreamError, Refused, Unreachable
from privstream.model.exact import decode
from privstream.model.http_errors import is_json, unavailable
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Listed, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

FILLS, OPEN = "auth/r/trades/hist", "auth/r/orders"
HISTORY = "auth/r/orders/hist"
"""Of orders that are over."""
NAMES = "conf/pub:map:currency:sym"
FILLS_PAGE = 1000  # rows of trades/hist that every source agrees on
ORDERS_PAGE = 500  # rows of orders/hist, likewise; also ids asked for at once
WHOLE_SECOND_NS = 10**9  # REST has told times cut to whole seconds
TRADED, CREATED, UPDATED = 2, 4, 5  # where rows of fills and of orders have their times
ANSWERS = Answers("Bitfinex")
Take: TypeAlias = Callable[[tuple[AnyReport, ...]], object]
"""What becomes of what an answer tells."""


# --- asking ----------------------------------------------------------------------------


def ask(account: Account, path: str, **parameters: Any) -> RestFlow[list[Row]]:
    """Call a private path and return its rows."""
    build = partial(signed_request, account, f"/v2/{path}", parameters)
    call = Call(build=build, name=path, nonce=True)
    return (yield from asked(call, partial(read_rows, path=path)))


def read_rows(response: HttpResponse, path: str) -> list[Row]:
    """The rows of an answer. Raises what its error means."""
    if not is_json(response):
        raise unavailable(response, "Bitfinex")
    answer = ANSWERS.parsed(response, path)
    if (problem := _error_in(answer, path)) is not None:
        raise problem
    if response.status != HTTPStatus.OK:
        raise unavailable(response, "Bitfinex")
    return ANSWERS.read_list(answer, path)


def _error_in(answer: object, path: str) -> PrivstreamError | None:
    if isinstance(answer, list) and answer[:1] == ["error"]:
        code, text = (*answer[1:3], None, None)[:2]
    elif isinstance(answer, dict):
        code, text = answer.get("code"), words_of(answer)
    else:
        return None
    return error_for(code_of(code), words_in(text) or "no reason given", path)


EARLIEST, LATEST = 1_230_768_000_000, 4_102_444_800_000
"""Milliseconds: 2009, before which there is no exchange, and 2100."""
FULL_LENGTH = len("99999999999999")


def moment_of(row: object, index: int) -> int:
    """A row's time in milliseconds; 0 where it has none that can be."""
    value = row[index] if isinstance(row, list) and len(row) > index else None
    whole = str(value).partition(".")[0]  # some bear decimals
    found = int(whole) if whole.isascii() and whole.isdecimal() and len(whole) < FULL_LENGTH else 0
    return found if EARLIEST <= found < LATEST else 0


# --- reading ---------------------------------------------------------------------------


class BitfinexRest:
    """One account's calls and what their rows tell."""

    def __init__(self, account: Account, memory: Memory) -> None:
        self._account = account
        self._names = memory.names
        self._origin = Origin("rest", names=memory.names)

    def ask(self, path: str, **parameters: Any) -> RestFlow[list[Row]]:
        """Call a private path and return its rows."""
        return ask(self._account, path, **parameters)

    def fills_of(self, rows: Iterable[Row]) -> tuple[AnyReport, ...]:
        """What rows of fills tell."""
        return tuple(each(rows, partial(read_fill, origin=self._origin)))

    def orders_of(self, rows: Iterable[Row], *, are_over: bool) -> tuple[AnyReport, ...]:
        """What rows of orders tell; those in the history are over whatever their words say."""
        return tuple(each(rows, partial(read_order, origin=self._origin, is_over=are_over)))

    def fills_since(self, since_ns: int) -> RestFlow[tuple[AnyReport, ...]]:
        """The fills since a moment, oldest first."""
        reports: tuple[AnyReport, ...] = ()
        start, then = 0, max((since_ns - WHOLE_SECOND_NS) // 10**6, 1)
        while then > start:
            start = then
            rows, then = yield from self.fills_page(start)
            reports += self.fills_of(rows)
        return reports

    def fills_page(self, start: int) -> RestFlow[tuple[list[Row], int]]:
        """A page of fills, oldest first, and the moment where the next begins; 0 at the end."""
        rows = yield from self.ask(FILLS, start=start, limit=FILLS_PAGE, sort=1)
        last = max((moment_of(row, TRADED) for row in rows), default=0)
        return rows, max(last, start) if len(rows) >= FILLS_PAGE else 0

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        """The orders of these ids, whole, where they are open or ended of late."""
        reports: list[AnyReport] = []
        yield from self.find(order_ids, reports.extend)
        return tuple(reports)

    def find(self, order_ids: Iterable[str], take: Take) -> RestFlow[None]:
        """The same, given to `take` as the answers come."""
        wanted = sorted(int(order_id) for order_id in order_ids if order_id.isdecimal())
        for begin in range(0, len(wanted), ORDERS_PAGE):
            batch = wanted[begin : begin + ORDERS_PAGE]
            found = self.orders_of((yield from self.ask(OPEN, id=batch)), are_over=False)
            open_ids = {report.order_id for report in found if isinstance(report, OrderReport)}
            take(found)
            rest = [order_id for order_id in batch if str(order_id) not in open_ids]
            if rest:
                rows = yield from self.ask(HISTORY, id=rest, limit=ORDERS_PAGE)
                take(self.orders_of(rows, are_over=True))

    def open_orders(self) -> RestFlow[Backfill]:
        """The orders that stand."""
        rows = yield from self.ask(OPEN)
        reports = self.orders_of(rows, are_over=False)
        return Backfill((*reports, Listed("orders")), complete=True)

    def balances(self) -> RestFlow[tuple[BalanceReport, ...]]:
        """What is in the wallets, rounded to eight decimals. Whatever changed them is past."""
        yield from self.learn_names()
        rows = yield from self.ask("auth/r/wallets")
        reports = each(rows, partial(read_wallet, origin=self._origin))
        found = (report for report in reports if isinstance(report, BalanceReport))
        return tuple(structs.replace(report, reason=None) for report in found)

    def learn_names(self) -> RestFlow[None]:
        """The exchange's own names of currencies, once; without them the table in the code counts."""
        if self._names.is_learnt:
            return
        try:
            response = yield Call(build=_names_request, name=NAMES)
            self._names.learn(decode(response.body))
        except Interrupted:
            raise
        except Unreachable:  # the next comparison with REST asks again
            return
        except (Refused, *MALFORMED):
            pass
        self._names.is_learnt = True

    def names_of_currencies(self) -> RestFlow[tuple[()]]:
        """The same as a question beside the stream."""
        yield from self.learn_names()
        return ()


def _names_request(_: Stamp) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v2/{NAMES}")

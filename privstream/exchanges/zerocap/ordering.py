"""Order entry at Zerocap: one REST call that places; all else is looking.

The one rule: `create_order` is asked once, and only a limit order is: no other type is
documented, and every order there is fill or kill.

Wire example
    POST /v2/orders/create_order
    {"symbol":"BTC/AUD","side":"sell","type":"limit","amount":"0.05","price":"98000",
     "client_order_id":"1a0c…"}

Quirks
    * The answer is the order itself: its `status` is the order's, not the request's.
    * There is no call that cancels, none that validates, and none that looks for a client
      id: lists are read and compared here.

Source: the zerocap-api package pages (0.1.3 to 0.1.38), checked 2026-11-20. No live capture
is known.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import structs

from privstream.exchanges.base import each
from privstream.exchanges.kit.complaints import words_of
from privstream.exchanges.kit.words import word
from privstream.exchanges.zerocap import names, rest
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.exchanges.zerocap.elements import read_order_push
from privstream.exchanges.zerocap.privacy import veiled
from privstream.model.account import Account
from privstream.model.errors import PermissionMissing, Refused, UnknownOrder, UsageError
from privstream.model.exact import add
from privstream.model.http_errors import excerpt
from privstream.model.order_entry import ListOption, MarketView, RestEntry, Ticket
from privstream.model.reports import AnyReport, BalanceReport, NoticeReport
from privstream.model.rest import RestFlow

LATEST = 4 * rest.PAGE
"""Orders among which one is looked for by its client id."""
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
_ORDER_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ANY = "all"


class ZerocapEntry(RestEntry):
    """One account's orders."""

    types: ClassVar[tuple[str, ...]] = ("limit",)
    list_options: ClassVar[tuple[ListOption, ...]] = (
        ListOption("status", "WORD", "open, closed or all.  [default: open]"),
        ListOption("symbol", "SYMBOL", "Only of this pair."),
        ListOption("from", "2h", "Only those placed since; or a UTC time.", "moment"),
        ListOption("to", "1h", "Only those placed before; or a UTC time.", "moment"),
        ListOption("side", "SIDE", "Only buy or sell."),
        ListOption("type", "TYPE", "Only of this type."),
        ListOption("limit", "N", "So many at most, the newest.", "whole"),
    )
    can_cancel = False
    can_validate = False
    has_stops = False
    forces = ("fok",)

    def __init__(self, account: Account) -> None:
        self._account = account

    def check(self, ticket: Ticket) -> None:
        if ticket.validate:
            raise UsageError("Zerocap has no call that only validates an order")
        if ticket.order_type != "limit":
            raise UsageError(f"Zerocap takes limit orders only, no {ticket.order_type!r}")
        if ticket.price is None:
            raise UsageError("a limit order needs --price")
        if not _PLAIN.fullmatch(ticket.price):
            raise UsageError("Zerocap takes no relative price", "write it like 98000.50")
        if ticket.stop_price is not None:
            raise UsageError("a limit order has no --stop-price")
        if ticket.time_in_force not in {None, "fok"}:
            raise UsageError("every order at Zerocap is fill or kill", "leave --tif out")
        if ticket.options:
            raise UsageError(f"Zerocap has no option {min(ticket.options)!r} for orders")
        if ticket.client_order_id == "":
            raise UsageError("a client id is not empty")

    def prepare(self, ticket: Ticket) -> RestFlow[Ticket]:
        return structs.replace(ticket, symbol=_spelled(ticket.symbol))
        yield

    def market(self, ticket: Ticket) -> RestFlow[MarketView]:
        """What is free; no last price is documented over REST."""
        try:
            answer = yield from rest.ask(self._account, "GET", "get_balances")
        except Refused:
            return MarketView()
        free: dict[str, str] = {}
        for report in ZerocapWallets().read(answer, "rest"):
            if isinstance(report, BalanceReport) and report.available is not None:
                free[report.currency] = add(free.get(report.currency, "0"), report.available)
        return MarketView(
            free={code: free[code] for code in ticket.symbol.split("/") if code in free}
        )

    def place(self, ticket: Ticket) -> RestFlow[tuple[AnyReport, ...]]:
        body = {
            "symbol": ticket.symbol,
            "side": ticket.side,
            "type": ticket.order_type,
            "amount": ticket.quantity,
            "price": ticket.price,
            "client_order_id": ticket.client_order_id or "",
        }
        signed = rest.SignedCall(self._account, "POST", "create_order", body)
        response = yield signed.call
        try:
            answer = rest.read_object(response, "create_order", signed.clock_off(response.headers))
        except Refused as problem:
            raise _explained(problem) from problem
        if not answer.get("id") and (said := _refusal_in(answer)):
            raise Refused(f"Zerocap refuses the order: {excerpt(said)}", _TERMS)
        # The sample of an answer has no client id, which is ours all the same.
        row = {"client_order_id": ticket.client_order_id, **_stated(answer)}
        return tuple(map(veiled, each((row,), lambda one: read_order_push(one, "rest"))))

    # --- looking -----------------------------------------------------------------------

    def find(self, ticket: Ticket, since_ns: int) -> RestFlow[tuple[AnyReport, ...]]:
        start = since_ns // 10**6 - rest.OVERLAP_MS
        found = yield from rest.fetch_orders(self._account, start_datetime=start)
        return rest.read_orders(_of_client(found, ticket.client_order_id), "rest")

    def get(self, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
        if _ORDER_ID.fullmatch(order_id):
            found = yield from rest.fetch_orders(self._account, ids=order_id)
            if named := [row for row in found.rows if _is(row, "id", order_id)]:
                return rest.read_orders(rest.Rows(named), "rest")
        latest = yield from rest.fetch_orders(self._account, most=LATEST)
        own = _of_client(latest, order_id)
        if not own.rows:
            raise UnknownOrder(
                f"Zerocap knows no order {order_id}",
                f"check the id and the account; a client id is looked for among the latest {LATEST}",
            )
        return rest.read_orders(own, "rest")

    def open_orders(self, filters: Mapping[str, Any]) -> RestFlow[tuple[AnyReport, ...]]:
        wanted: dict[str, Any] = {
            "status": _status(filters.get("status", "open")),
            "symbol": _spelled(filters.get("symbol", "")),
            "side": _side(filters.get("side", "")),
            "order_type": word(filters.get("type", "")),
        }
        if "from" in filters:
            wanted["start_datetime"] = filters["from"] // 10**6
        if "to" in filters:
            wanted["end_datetime"] = filters["to"] // 10**6
        found = yield from rest.fetch_orders(self._account, most=filters.get("limit"), **wanted)
        reports = rest.read_orders(found, "rest")
        if found.whole:
            return reports
        text = f"Zerocap gave only {len(found.rows)} of the orders that it counts"
        return (*reports, NoticeReport(level="warning", code="incomplete", text=text))


_TERMS = "check the pair, the least quantity, the digits, and what is available"


def _explained(problem: Refused) -> Refused:
    """The refusal of an order, with what to do about it."""
    if isinstance(problem, PermissionMissing) and "address" not in problem.message:
        problem.hint = "give the key the right to place orders"
    problem.hint = problem.hint or _TERMS
    return problem


def _refusal_in(answer: dict[str, Any]) -> str:
    """Why it made no order; "" where it does not say that it made none."""
    status = str(answer.get("status", ""))
    failed = status.lower() in {"error", "failed", "failure", "rejected"}
    return words_of(answer, rest.ERROR_KEYS) or (words_of(answer) or status if failed else "")


def _stated(answer: dict[str, Any]) -> dict[str, Any]:
    """Without an empty client id, which some answers have."""
    return {key: value for key, value in answer.items() if key != "client_order_id" or value}


def _of_client(found: rest.Rows, client_order_id: str | None) -> rest.Rows:
    return rest.Rows([row for row in found.rows if _is(row, "client_order_id", client_order_id)])


def _is(row: Any, key: str, value: str | None) -> bool:
    return isinstance(row, dict) and bool(value) and row.get(key) == value


def _spelled(symbol: str) -> str:
    """`btc-aud` and `BTC_AUD` are `BTC/AUD`; what is no pair is left to Zerocap to refuse."""
    return names.symbol_of(symbol) or symbol.upper()


def _status(text: str) -> str:
    if text not in {"open", "closed", _ANY}:
        raise UsageError(f"Zerocap knows no status {text!r}", "--status takes open, closed or all")
    return "" if text == _ANY else text


def _side(text: str) -> str:
    if text not in {"", "buy", "sell"}:
        raise UsageError(f"no side {text!r}", "--side takes buy or sell")
    return text

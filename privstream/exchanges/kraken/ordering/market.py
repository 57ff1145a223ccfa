"""What an order on Kraken would meet: the last price, and what is free of its currencies.

Source: https://docs.kraken.com/api/docs/rest-api/get-ticker-information and
get-extended-balance (checked 2026-11-30): free is balance + credit - credit_used - hold_trade.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from privstream.exchanges.base import MALFORMED
from privstream.exchanges.kraken import names, rest
from privstream.exchanges.kraken.pairs import ORDINARY, TOKENIZED
from privstream.exchanges.kraken.refusals import UnknownPair
from privstream.model.account import Account
from privstream.model.errors import Refused
from privstream.model.exact import add, amount, subtract
from privstream.model.order_entry import MarketView
from privstream.model.rest import Call, HttpRequest, RestFlow, Stamp

FUNDS = "BalanceEx"


def market(account: Account, pair: str, currencies: tuple[str, ...]) -> RestFlow[MarketView]:
    """The market of REST's name of a pair. What is refused or cannot be read stays unknown."""
    last = yield from _last_price(pair)
    try:
        rows = yield from rest.ask(account, FUNDS)
    except Refused:
        return MarketView(last_price=last)
    free = {
        currency: text
        for key, row in rows.items()
        if "." not in key  # what is staked cannot be spent
        and (currency := names.currency(names.short(key))) in currencies
        and (text := _free(row)) is not None
    }
    return MarketView(last_price=last, free=free)


def _last_price(pair: str) -> RestFlow[str | None]:
    for aclass in (ORDINARY, TOKENIZED):
        response = yield Call(build=partial(_ticker, pair, aclass), name="Ticker", cost=0.0)
        try:
            rows = rest.read_result(response, "Ticker")
        except UnknownPair:
            continue
        except Refused:
            return None
        return _closed_at(rows)
    return None


def _ticker(pair: str, aclass: str, _stamp: Stamp) -> HttpRequest:
    chosen = {} if aclass == ORDINARY else {"asset_class": aclass}
    query = urlencode({"pair": pair, **chosen})
    return HttpRequest(method="GET", path=f"/0/public/Ticker?{query}")


def _closed_at(rows: Mapping[str, Any]) -> str | None:
    """The price of the last trade; asked for one pair, Kraken answers with one."""
    try:
        (row,) = rows.values()
        return amount(row["c"][0])
    except MALFORMED:
        return None


def _free(row: Any) -> str | None:
    try:
        free = amount(row["balance"]) or "0"
        for key in ("credit_used", "hold_trade"):
            free = subtract(free, amount(row.get(key) or "0") or "0")
        return add(free, amount(row.get("credit") or "0") or "0")
    except MALFORMED:
        return None

"""What REST says of money: balances, transfers, risk, and what can be traded.

The one rule: balances are told twice over, by asset and by account, mixed at the top
level, and an entry may stand in both maps. What is traded is the account `prime`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from privstream.model.rest import Now
from privstream.simulator.market import ZERO, Entry, Market, Symbol
from privstream.simulator.zerocap.history import counter, paged, texts_of
from privstream.simulator.zerocap.keys import invalid
from privstream.simulator.zerocap.words import (
    ASSETS,
    LARGEST_MULTIPLE,
    SMALLEST_SHARE,
    SUSPENDED,
    SYMBOLS,
    Dialect,
    millis,
    number,
    plain,
    pointed,
)

Fields: TypeAlias = Mapping[str, Any]
Element = dict[str, Any]
TRANSFERS = 20
TYPES = {"deposit": "external_deposit", "withdrawal": "external_withdrawal"}
TEXTS = frozenset({"asset_id", "type", "sort_order"})
BY_ASSET = {
    "BTC": {"custody": "3"},
    "AUD": {"DiscountNote": "450", "YieldEntryNotes": "7", "custody": "1204.08215436701"},
}
"""What is not traded, and so never changes."""
BY_ACCOUNT = {
    "custody": {"CAD": "5310.27", "ETH": "0"},
    "prime_locked": {"AUD": "88.204511", "USDT": "4200.1307"},
    "savings": {"BTC": "0.0700418162093517"},
    "staking": {"DIVI": "240"},
    "term_3M": {"USDT_ETH_DEMO1_0F1A": "0.8817264530918275"},
    "unlock": {"BTC": "2e-8"},
}


class Funds:
    """The account's money."""

    FIELDS = TEXTS | {"start_datetime", "end_datetime", "page", "limit"}

    def __init__(self, market: Market, dialect: Dialect) -> None:
        self._market, self._books, self._dialect = market, market.books, dialect

    # --- balances ----------------------------------------------------------------------

    def balances(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - it takes none
        by_asset = {asset: _still(held) for asset, held in BY_ASSET.items()}
        by_asset["AUD"] |= {"prime": self._holding("AUD"), **_locked("AUD")}
        by_account = {account: _still(held) for account, held in BY_ACCOUNT.items()}
        by_account["prime"] = {asset: self._holding(asset) for asset in ASSETS}
        seconds = now.wall_ns // 1_000_000_000
        return {
            "status": "successful",
            "datetime": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "timestamp": millis(now.wall_ns),
            **by_asset,
            **dict(sorted(by_account.items())),
        }

    def _holding(self, asset: str) -> Element:
        return _leaf(self._market.balances()[asset], self._market.holds()[asset])

    def risk(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - it takes none
        balances, holds = self._market.balances(), self._market.holds()
        worth = sum((a.in_aud * balances[a.code] for a in ASSETS.values()), ZERO)
        at_risk = sum((a.in_aud * holds[a.code] for a in ASSETS.values()), ZERO)
        return {
            "max_risk_limit": "100000",
            "risk_exposure": plain(at_risk.quantize(Decimal("0.01"))),
            "equity": plain(worth.quantize(Decimal("0.01"))),
        }

    # --- instruments -------------------------------------------------------------------

    def instruments(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - it takes none
        listed = [_instrument(symbol) for symbol in (*SYMBOLS.values(), SUSPENDED)]
        return {"status": "successful", "instruments": listed}

    # --- transfers ---------------------------------------------------------------------

    def transfers(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - as they stand
        texts = dict(texts_of(fields, TEXTS))
        if texts.get("sort_order", "") not in {"", "asc", "desc"}:
            raise invalid("sort_order is none of those known")
        count = counter(fields, self._dialect)
        page, limit = paged(count, TRANSFERS)
        start, end = count("start_datetime", 0), count("end_datetime", 0) or float("inf")
        chosen = [e for e in self._moves(texts) if start <= millis(e.time_ns) < end]
        if texts.get("sort_order") != "asc":
            chosen.reverse()
        shown = chosen[(page - 1) * limit : page * limit]
        crypto = "crypto_transactions" if self._dialect == "new" else "fireblocks_transactions"
        return {
            "status": "successful",
            "total": len(chosen),
            "user_id": "",
            "fiat_transactions": [_fiat(e) for e in shown if ASSETS[e.currency].fiat],
            crypto: [_crypto(e) for e in shown if not ASSETS[e.currency].fiat],
        }

    def _moves(self, texts: Mapping[str, str]) -> list[Entry]:
        assets = [name for name in texts.get("asset_id", "").split(",") if name]
        types = [name for name in texts.get("type", "").split(",") if name]
        return [
            entry
            for entry in self._books.entries.values()
            if entry.type in TYPES
            and (not assets or entry.currency in assets)
            and (not types or TYPES[entry.type] in types)
        ]


def _still(held: Mapping[str, str]) -> dict[str, Element]:
    return {name: _leaf(Decimal(total), ZERO) for name, total in held.items()}


def _locked(asset: str) -> dict[str, Element]:
    return {"prime_locked": _leaf(Decimal(BY_ACCOUNT["prime_locked"][asset]), ZERO)}


def _leaf(total: Decimal, used: Decimal) -> Element:
    return {"free": number(total - used), "total": number(total), "used": number(used)}


def _instrument(symbol: Symbol) -> Element:
    return {
        "name": symbol.name,
        "type": "SPOT",
        "is_tradable": symbol is not SUSPENDED,
        "quantity_precision": pointed(Decimal(symbol.quantity_digits)),
        "max_quantity": pointed(symbol.quantity * LARGEST_MULTIPLE),
        "min_quantity": pointed(symbol.quantity / SMALLEST_SHARE),
        "price_precision": pointed(Decimal(symbol.price_digits)),
    }


def _fiat(entry: Entry) -> Element:
    amount = abs(entry.amount)
    in_usd = amount * ASSETS[entry.currency].in_aud / ASSETS["USD"].in_aud
    return {
        "user_id": "",
        "asset_id": entry.currency,
        "amount": number(amount),
        "type": TYPES[entry.type],
        "from_account_type": "",
        "to_account_type": "",
        "amount_usd": number(in_usd.quantize(Decimal("0.0000001"))),
        "note": "",
        "source_address": "",
        "destination_address": "",
        "tx_id": entry.reference,
        "fee": pointed(entry.fee),
        "fee_currency": "",
        "comment": "",
        "status": "COMPLETED",
        "created_at": millis(entry.time_ns),
    }


def _crypto(entry: Entry) -> Element:
    more = {"amount_usd": ("interest_earned", pointed(ZERO)), "note": ("tx_hash", "")}
    fields: Element = {}
    for key, value in _fiat(entry).items():
        fields[key] = value
        if key in more:
            name, also = more[key]
            fields[name] = also
    return fields

"""Rows of wallets: what they hold, what of it is free, and what changed them last.

The one rule: what is available is only told where it was calculated; before that it is
null, as it is in every message that tells of a change.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from msgspec import Struct

from privstream.model.exact import Number
from privstream.simulator.bitfinex.margin import Margin
from privstream.simulator.bitfinex.orders import client_id, signed
from privstream.simulator.bitfinex.words import (
    CURRENCIES,
    FEES,
    MARGIN_CURRENCIES,
    WalletType,
    millis,
    number,
    pair_of,
    plain_text,
    sentence_number,
)
from privstream.simulator.market import ZERO, Books, Entry, Trade

Row = list[Any]
Key = tuple[WalletType, str]
KEYS: tuple[Key, ...] = (
    *(("exchange", code) for code in CURRENCIES),
    *(("margin", code) for code in MARGIN_CURRENCIES),
    ("funding", "UST"),
)
FUNDS, FUNDS_FREE = Decimal("150.00291226"), Decimal("0.00000102")
OFFER_ID, OFFER_MTS = 4284963623, 1755714527000
"""Funding lives no life here: one wallet, nearly all of it in one standing offer."""
REST_DIGITS = Decimal("0.00000001")


class Change(Struct, frozen=True):
    """What a wallet's last change was, in Bitfinex's words."""

    description: str | None = None
    meta: dict[str, Any] | None = None


class Wallets:
    """All wallets of the account."""

    def __init__(self, books: Books, margin: Margin) -> None:
        self._books, self._margin = books, margin
        self._changes: dict[Key, Change] = {}

    def balance(self, key: Key) -> Decimal:
        wallet, currency = key
        if wallet == "funding":
            return FUNDS
        return (
            self._margin.balances[currency]
            if wallet == "margin"
            else self._books.balances[currency]
        )

    def available(self, key: Key) -> Decimal:
        wallet, currency = key
        if wallet == "funding":
            return FUNDS_FREE
        if wallet == "exchange":
            return self._books.available(currency)
        position = self._margin.position
        if position is None or position.pair.symbol.quote != currency:
            return self._margin.balances[currency]
        # A tenth of what a position is worth must be there for it.
        return max(ZERO, self._margin.balances[currency] - position.worth / 10)

    def row(self, key: Key, *, calculated: bool) -> Row:
        """The wallet as it stands."""
        available = number(self.available(key)) if calculated else None
        return self._row(key, self.balance(key), available)

    def rest_rows(self) -> list[Row]:
        """REST rounds to eight decimals."""
        return [
            self._row(key, _rounded(self.balance(key)), number(_rounded(self.available(key))))
            for key in KEYS
        ]

    def changed(self, key: Key, balance: Decimal, change: Change) -> Row:
        """The wallet after a change."""
        self._changes[key] = change
        return self._row(key, balance, None)

    def value(self) -> Row:
        """What all is worth in dollars, and net; not what could be spent."""
        exchange = sum(
            (self._books.balances[c.code] * c.in_usd for c in CURRENCIES.values()), start=FUNDS
        )
        margin = sum(
            (self._margin.balances[c.code] * c.in_usd for c in MARGIN_CURRENCIES.values()),
            start=ZERO,
        )
        total = number((exchange + margin).quantize(REST_DIGITS))
        return [total, total]

    def _row(self, key: Key, balance: Decimal, available: Number | None) -> Row:
        change = self._changes.get(key, Change())
        return [*key, number(balance), 0, available, change.description, change.meta]


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(REST_DIGITS, ROUND_DOWN)


# --- descriptions ----------------------------------------------------------------------


def exchanged(trade: Trade) -> Change:
    """`Exchange 0.00008865 BTC for USD @ 113940.0`."""
    symbol, price = trade.order.symbol, sentence_number(trade.price)
    text = f"Exchange {plain_text(trade.quantity)} {symbol.base} for {symbol.quote} @ {price}"
    return Change(text, {"reason": "TRADE", **trade_meta(trade)})


def fee_charged(trade: Trade) -> Change:
    """`Trading fees for 0.00008865 BTC (BTCUSD) @ 113940.0 on BFX (0.06%)`."""
    pair = pair_of(trade.order.symbol)
    share = plain_text(100 * (FEES.maker if trade.maker else FEES.taker))
    amount = f"{plain_text(trade.quantity)} {pair.symbol.base} ({pair.name})"
    return Change(
        f"Trading fees for {amount} @ {sentence_number(trade.price)} on BFX ({share}%)", None
    )


def position_changed(trade: Trade) -> Change:
    price = sentence_number(trade.price)
    text = f"Position closed @ {price} (TRADE) on wallet margin"
    return Change(text, {"reason": "TRADE", **trade_meta(trade)})


def moved(entry: Entry, wallet: WalletType) -> Change:
    """Money from outside, or to there."""
    word = "Deposit" if entry.amount > 0 else "Withdrawal"
    return Change(f"{word} ({entry.currency}) #{entry.reference} on wallet {wallet}", None)


def trade_meta(trade: Trade) -> dict[str, Any]:
    order = trade.order
    return {
        "order_id": int(order.order_id),
        "order_id_oppo": int(order.order_id) - 1_000_000 - int(trade.trade_id) % 977,
        "trade_price": sentence_number(trade.price),
        "trade_amount": sentence_number(signed(order, trade.quantity)),
        "order_cid": client_id(order),
        "order_gid": order.user_reference or None,
    }


# --- funding ---------------------------------------------------------------------------


def offers() -> list[Row]:
    """The standing offer."""
    amount = number(FUNDS - FUNDS_FREE)
    row = [OFFER_ID, "fUST", OFFER_MTS, OFFER_MTS, amount, amount, "LIMIT", None, None, None]
    row += ["ACTIVE", None, None, None, 0, 2, 0, 0, None, 0, None]
    return [row]


# --- the ledger ------------------------------------------------------------------------


def ledger_rows(entry: Entry, trade: Trade | None, wallet: WalletType) -> list[Row]:
    """One line for what came or went, one for its fee; oldest first."""
    if trade is None:
        reason = moved(entry, wallet)
    else:
        reason = exchanged(trade) if wallet == "exchange" else position_changed(trade)
    rows = []
    if entry.amount:
        balance = number(entry.balance + entry.fee)
        rows.append([int(entry.entry_id), *_line(entry, wallet, entry.amount, balance, reason)])
    if entry.fee and trade is not None:
        reason, balance = fee_charged(trade), number(entry.balance)
        rows.append([int(entry.entry_id) + 1, *_line(entry, wallet, -entry.fee, balance, reason)])
    return rows


def _line(
    entry: Entry, wallet: WalletType, amount: Decimal, balance: Number, reason: Change
) -> Row:
    time = millis(entry.time_ns)
    return [
        entry.currency,
        wallet,
        time,
        None,
        number(amount),
        balance,
        None,
        reason.description,
    ]

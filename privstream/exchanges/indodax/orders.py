"""Orders and fills as Indodax's stream and its REST calls write them.

The one rule: every amount is the exchange's own. It never states the price at which a
taker was filled, nor what was paid for it: the order's price stands in, marked `estimated`.
Source: protocols/indodax.md sections 5 and 6 (checked 2026-11-20).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from privstream.exchanges.base import unrecognised
from privstream.exchanges.indodax import names
from privstream.model.events import Side, Source
from privstream.model.exact import add, amount, nonzero, subtract
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_epoch_seconds, from_millis

Row = Mapping[str, Any]

SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
FEES = (("fee", "feeAsset"), ("tax", "taxAsset"), ("clearing", "clearingAsset"))
ENDED = frozenset({"filled", "canceled", "rejected"})
MEMORY = 10_000
"""Orders that a connection has told of, kept to prefer its word to what REST lists."""


def fill_key(trade_id: str, side: Side) -> str:
    """A match of two own orders is two fills with one trade id."""
    return f"{trade_id}:{side}"


class Updates:
    """Reads the stream's order updates, one connection long."""

    def __init__(self) -> None:
        self.seen: dict[str, None] = {}
        """The orders told of; REST may lag behind, and knows less of them."""
        self._executed: dict[str, str] = {}
        """How much of each order was executed, for fills that do not say their own amount."""

    def read(self, event: Row, sequence: int | None = None) -> Iterator[AnyReport]:
        """The fill, if it is one, and the order's new state."""
        if event["eventType"] != "order_update":
            yield unrecognised(event, f"no event that is known: {event['eventType']}", sequence)
            return
        order = event["order"]
        common: dict[str, Any] = {
            "time": from_millis(order.get("transactionTime")),
            "sequence": sequence,
            "element": event,
        }
        fields = _read_update(order)
        if fields["exchange_status"] == "FILL":
            yield self._read_fill(order, fields, common)
        self._remember(order["orderId"], fields)
        yield OrderReport(order_id=order["orderId"], fields=fields, **common)

    def _read_fill(self, order: Row, fields: OrderFields, common: dict[str, Any]) -> Fill:
        told = order.get("fillInformation") or {}
        order_id, side = order["orderId"], _side(order["side"])
        fee, fee_currency = read_fee(told)
        liquidity = LIQUIDITY.get(told.get("participant", ""))
        price = fields.get("price")
        trade_id, estimated = order.get("tradeId"), []
        if price is not None and liquidity != "maker":
            estimated.append("price")
        if not trade_id:  # so in the documents of early 2024
            trade_id = f"{order_id}@{fields['filled']}"
            estimated.append("trade_id")
        return Fill(
            trade_id=str(trade_id),
            key=fill_key(str(trade_id), side),
            order_id=order_id,
            symbol=fields["symbol"],
            exchange_symbol=order["symbol"],
            side=side,
            price=price,
            quantity=self._quantity(order, told, fields),
            cost=None,
            fee=fee,
            fee_currency=fee_currency,
            client_order_id=fields.get("client_order_id"),
            order_type=fields.get("order_type"),
            liquidity=liquidity,  # type: ignore[arg-type]  # a closed set
            estimated=tuple(estimated),
            **common,
        )

    def _quantity(self, order: Row, told: Row, fields: OrderFields) -> str | None:
        """Of this fill: as stated, by its older name, or what was executed more than before."""
        stated = nonzero(told.get("qty")) or nonzero(told.get("fillQty"))
        before, now = self._executed.get(order["orderId"]), fields.get("filled")
        if stated is not None or before is None or now is None:
            return stated
        return subtract(now, before)

    def _remember(self, order_id: str, fields: OrderFields) -> None:
        self.seen[order_id] = None
        if len(self.seen) > MEMORY:
            del self.seen[next(iter(self.seen))]
        filled = fields.get("filled")
        if fields["status"] in ENDED:
            self._executed.pop(order_id, None)
        elif filled is not None:
            self._executed[order_id] = filled


LIQUIDITY = {"MAKER": "maker", "TAKER": "taker"}


def read_fee(told: Row) -> tuple[str | None, str | None]:
    """Fee, tax and clearing together, as REST's `commission`, where they are of one currency."""
    total, asset = None, None
    for key, asset_key in FEES:
        part = amount(told.get(key))
        if part is None:
            continue
        if total is not None and told.get(asset_key) != asset:
            return None, None
        asset = told.get(asset_key)
        total = part if total is None else add(total, part)
    return total, names.currency(asset) if asset else None


def _read_update(order: Row) -> OrderFields:
    word = order["status"]
    fields = _identity(order["orderId"], order["symbol"], order)
    fields["symbol"] = names.symbol(order["symbol"], order.get("description"))
    fields["exchange_status"], fields["status"] = word, names.status(word)
    if "side" in order:
        fields["side"] = _side(order["side"])
    if "origQty" in order:
        fields["quantity"] = nonzero(order["origQty"])
    if "price" in order:
        fields["price"] = nonzero(order["price"])
    filled = amount(order.get("executedQty"))
    # A rejected order was never executed, though the documents have a sample of the kind.
    if filled is not None and not (word == "REJECTED" and filled == fields.get("quantity")):
        fields["filled"] = filled
    if word == "NEW":
        fields["created"] = from_millis(order.get("transactionTime"))
    return fields


def _side(word: str) -> Side:
    return SIDES[word.upper()]


def _identity(order_id: str, pair: str, row: Row) -> OrderFields:
    """What an order's row and its id tell in every dialect."""
    fields: OrderFields = {
        "exchange_symbol": names.join(pair),
        "symbol": names.symbol(pair),
    }
    client = row.get("clientOrderId") or row.get("client_order_id")
    if client:
        fields["client_order_id"] = str(client)
    parts = names.order_id_parts(order_id)
    kind = row.get("order_type") or row.get("type") if parts is None else parts.kind
    if kind and kind not in V1_SIDES:
        fields["order_type"] = names.order_type(kind)
    return fields


# --- REST, v2: histories -----------------------------------------------------------------


def read_ended(row: Row) -> OrderReport:
    """A row of the order history: only orders that have ended are in it."""
    word = row["status"]
    fields = _identity(row["orderId"], row["symbol"], row)
    fields |= {
        "side": _side(row["side"]),
        "quantity": nonzero(row["oriQty"]),
        "price": nonzero(row.get("price")),
        "exchange_status": word,
        "status": names.status(word),
        "created": from_millis(row.get("submitTime")),
    }
    if (filled := amount(row.get("executedQty"))) is not None:
        fields["filled"] = filled
    time = from_millis(row.get("finishTime"))
    return OrderReport(
        order_id=row["orderId"], fields=fields, time=time, source="rest", element=row
    )


def read_trade(row: Row) -> Fill:
    """A row of the trade history: here the price is the real one."""
    side: Side = "buy" if row["isBuyer"] else "sell"
    parts = names.order_id_parts(row["orderId"])
    asset = row.get("commissionAsset")
    return Fill(
        trade_id=str(row["tradeId"]),
        key=fill_key(str(row["tradeId"]), side),
        order_id=row["orderId"],
        symbol=names.symbol(row["symbol"]),
        exchange_symbol=names.join(row["symbol"]),
        side=side,
        price=amount(row["price"]),
        quantity=amount(row["qty"]),
        cost=amount(row.get("quoteQty")),
        fee=amount(row.get("commission")),
        fee_currency=names.currency(asset) if asset else None,
        client_order_id=row.get("clientOrderId") or None,
        order_type=None if parts is None else names.order_type(parts.kind),
        liquidity=MAKER[row.get("isMaker")],  # type: ignore[arg-type]  # a closed set
        time=from_millis(row["time"]),
        source="rest",
        element=row,
    )


MAKER = {True: "maker", False: "taker", None: None}

# --- REST, v1: open orders, one order ----------------------------------------------------

V1_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}


def v1_order_id(pair: str, row: Row) -> str:
    """The stream's id of a v1 row, which has only the number at its end."""
    number = str(row["order_id"])
    if not number.isdecimal():
        return number
    return f"{names.join(pair)}-{row.get('order_type') or 'limit'}-{number}"


def read_open(pair: str, row: Row, source: Source, *, known: bool) -> OrderReport:
    """An open order. v1 tells buy orders in the quote currency: what is known is known better."""
    order_id = v1_order_id(pair, row)
    fields = _read_v1(order_id, pair, row)
    untouched = fields.get("filled") == "0"
    in_quote = "quote_quantity" in fields
    if known and in_quote:
        # Their fills are told by themselves, and make up the rest.
        fields = {"status": "open"}
    else:
        fields["status"] = "open" if untouched else "partially_filled"
    return OrderReport(
        order_id=order_id,
        fields=fields,
        time=fields.get("created") if untouched else None,
        source=source,
        element=row,
    )


def read_found(order_id: str, pair: str, row: Row) -> OrderReport:
    """One order that was asked for by its id."""
    fields = _read_v1(order_id, pair, row)
    word = row["status"]
    fields["exchange_status"], fields["status"] = word, names.status(word)
    time = from_epoch_seconds(row.get("finish_time"))
    return OrderReport(order_id=order_id, fields=fields, time=time, source="rest", element=row)


def _read_v1(order_id: str, pair: str, row: Row) -> OrderFields:
    fields = _identity(order_id, pair, row)
    fields["side"] = V1_SIDES[row["type"]]
    fields["price"] = nonzero(row.get("price"))
    fields["created"] = from_epoch_seconds(row.get("submit_time"))
    base, quote = names.split(pair) or (None, None)
    for coin in (base, quote, "rp"):  # rupiah, as they were called
        ordered, left = amount(row.get(f"order_{coin}")), amount(row.get(f"remain_{coin}"))
        if ordered is None:
            continue
        if coin == base:
            fields["quantity"] = ordered
            if left is not None:
                fields["filled"] = subtract(ordered, left)
        else:
            fields["quote_quantity"] = ordered
            if left == ordered:
                fields["filled"] = "0"
        break
    return fields

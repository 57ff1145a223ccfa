"""Orders and fills as Indodax's stream writes them.

The one rule: every amount is the exchange's own. It never states the price at which a
taker was filled, nor what was paid for it: the order's price stands in, marked `estimated`.
Source: https://github.com/btcid/indodax-official-api-docs, Private-websocket.md, and
"Self-Trade Prevention" of the same place; checked 2026-11-30.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from privstream.exchanges.base import unrecognised
from privstream.exchanges.indodax import names
from privstream.exchanges.kit.side_values import SideValues, not_negative, positive, text_of
from privstream.model.events import Side
from privstream.model.exact import Unreadable, add, amount, subtract
from privstream.model.reports import AnyReport, Fill, NoticeReport, OrderFields, OrderReport
from privstream.model.times import from_millis

Row = Mapping[str, Any]

SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
LIQUIDITY = {"MAKER": "maker", "TAKER": "taker"}
FEES = (("fee", "feeAsset"), ("tax", "taxAsset"), ("clearing", "clearingAsset"))
ENDED = frozenset({"filled", "canceled", "rejected"})
BEGINNING = "2014"
"""Indodax began in February of that year, as Bitcoin Indonesia."""
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
        order, values = event["order"], SideValues("order")
        order_id = identifier(order["orderId"])
        common: dict[str, Any] = {
            "time": values.read("transactionTime", moment, order.get("transactionTime")),
            "sequence": sequence,
            "element": event,
        }
        fields = _read_update(order_id, order, values)
        if _is_fill(order):
            yield self._read_fill(order_id, order, fields, common, values)
        self.remember(order_id, fields)
        notices = list(values.notices(event, sequence))
        yield OrderReport(order_id, readable(fields, notices), whole=True, is_fixed=True, **common)
        yield from notices

    def _read_fill(
        self,
        order_id: str,
        order: Row,
        fields: OrderFields,
        common: dict[str, Any],
        values: SideValues,
    ) -> AnyReport:
        """The fill, or a notice where what names it cannot be read: its trade id or its side."""
        side, (trade_id, estimated) = fields.get("side"), _name(order_id, order, fields, values)
        if trade_id is None or side is None:
            lack = "its side" if trade_id else "its trade id"
            why = f"cannot read this fill: {lack} is no such thing"
            return unrecognised(common["element"], why, common["sequence"])
        told = values.read("fillInformation", _object, order.get("fillInformation")) or {}
        fee, fee_currency = read_fee(told, values)
        liquidity = values.read("participant", _liquidity, told.get("participant"))
        price = fields.get("price")
        is_estimate = price is not None and liquidity != "maker"
        return Fill(
            trade_id=trade_id,
            key=fill_key(trade_id, side),
            order_id=order_id,
            symbol=fields.get("symbol"),
            exchange_symbol=fields.get("exchange_symbol"),
            side=side,
            price=price,
            quantity=self._quantity(order_id, told, fields, values),
            cost=None,
            fee=fee,
            fee_currency=fee_currency,
            client_order_id=fields.get("client_order_id"),
            order_type=fields.get("order_type"),
            liquidity=liquidity,  # type: ignore[arg-type]  # a closed set
            estimated=("price", *estimated) if is_estimate else estimated,
            **common,
        )

    def _quantity(
        self, order_id: str, told: Row, fields: OrderFields, values: SideValues
    ) -> str | None:
        """Of this fill: as stated, by its older name, or what was executed more than before."""
        for key in ("qty", "fillQty"):
            if (stated := values.read(key, positive, told.get(key))) is not None:
                return stated
        before, now = self._executed.get(order_id), fields.get("filled")
        if before is None or now is None:
            return None
        more = subtract(now, before)
        return None if more.startswith("-") else more

    def remember(self, order_id: str, fields: OrderFields) -> None:
        """An order was told of, and so much of it was executed."""
        self.seen[order_id] = None
        if len(self.seen) > MEMORY:
            del self.seen[next(iter(self.seen))]
        filled = fields.get("filled")
        if fields.get("status") in ENDED:
            self._executed.pop(order_id, None)
        elif filled is not None:
            self._executed[order_id] = filled


def _name(
    order_id: str, order: Row, fields: OrderFields, values: SideValues
) -> tuple[str | None, tuple[str, ...]]:
    """The trade id of a fill, and that it is an estimate where the frame has none."""
    told, filled = order.get("tradeId"), fields.get("filled")
    if told or filled is None:
        return values.read("tradeId", _trade_id, told), ()
    # So in the documents of early 2024: the amount filled by then names it too.
    return f"{order_id}@{filled}", ("trade_id",)


def read_fee(told: Row, values: SideValues) -> tuple[str | None, str | None]:
    """Fee, tax and clearing together, as REST's `commission`, where they are of one currency."""
    total: str | None = None
    assets: set[str | None] = set()
    for key, asset_key in FEES:
        if key not in told:
            continue
        part = values.read(key, amount, told[key])
        if part is None:
            return None, None  # the rest is not the whole
        total = part if total is None else add(total, part)
        assets.add(values.read(asset_key, _currency, told.get(asset_key)))
    if len(assets) > 1:
        return None, None
    return total, assets.pop() if assets else None


def _read_update(order_id: str, order: Row, values: SideValues) -> OrderFields:
    fields = identity(order_id, order, values)
    word = values.read("status", text_of, order.get("status"))
    if word is not None:
        fields["exchange_status"], fields["status"] = word, names.status(word)
    if "side" in order:
        fields["side"] = values.read("side", side_of, order["side"])
    if "origQty" in order:
        fields["quantity"] = values.read("origQty", positive, order["origQty"])
    if "price" in order:
        fields["price"] = values.read("price", positive, order["price"])
    _read_progress(order, fields, values)
    read_cancel_reason(order, fields, values)
    if word == "NEW":
        fields["created"] = values.read("transactionTime", moment, order.get("transactionTime"))
    return fields


def _read_progress(order: Row, fields: OrderFields, values: SideValues) -> None:
    """What was executed and what is left, both as stated."""
    filled = values.read("executedQty", not_negative, order.get("executedQty"))
    if fields.get("exchange_status") == "REJECTED" and filled == fields.get("quantity"):
        return  # it was never executed, though the documents have a sample of the kind
    if filled is not None:
        fields["filled"] = filled
    left = values.read("unfilledQty", not_negative, order.get("unfilledQty"))
    if left is not None:
        fields["remaining"] = left


def read_cancel_reason(row: Row, fields: OrderFields, values: SideValues) -> None:
    """Why the exchange canceled: a cancel by its user has no such key.

    What it ended before anything was filled counts as rejected; the ledger knows the fills.
    """
    if "cancelReason" not in row:
        return
    reason = values.read("cancelReason", text_of, row["cancelReason"])
    if reason is None:
        return
    fields["reason"] = "_".join(reason.lower().split())
    if fields.get("status") == "canceled" and fields.get("filled") in {None, "0"}:
        fields["status"] = "rejected"


def _is_fill(order: Row) -> bool:
    """By its status, and where that is no word that is known by the trade id, which only fills have."""
    word = order.get("status")
    if isinstance(word, str) and names.status(word) != "unknown":
        return word == "FILL"
    return bool(order.get("tradeId"))


# --- what rows of every dialect have -----------------------------------------------------


def identity(order_id: str, row: Row, values: SideValues, pair: object = None) -> OrderFields:
    """What an order's row and its id tell in every dialect."""
    parts = names.order_id_parts(order_id)
    written = values.read("symbol", text_of, row.get("symbol") if pair is None else pair)
    spelled = written or (None if parts is None else parts.pair)
    described = values.read("description", text_of, row.get("description"))
    fields: OrderFields = {}
    if spelled is not None:
        fields["exchange_symbol"] = names.join(spelled)
        fields["symbol"] = values.read("symbol", lambda pair: _symbol(pair, described), spelled)
    client = row.get("clientOrderId") or row.get("client_order_id")
    if (client_id := values.read("clientOrderId", _client_id, client)) is not None:
        fields["client_order_id"] = client_id
    kind = None if parts is None else parts.kind
    if kind is None:
        kind = values.read("order_type", text_of, row.get("order_type"))
    if kind is not None:
        fields["order_type"] = names.order_type(kind)
    return fields


def _symbol(pair: str, described: str | None) -> str:
    """The pair's common name. Raises Unreadable where it is none that is known."""
    if (found := names.symbol(pair, described)) is None:
        raise Unreadable("no pair that is known")
    return found


def readable(fields: OrderFields, notices: Sequence[NoticeReport]) -> OrderFields:
    """Where something could not be read, only what is there: what is known of the rest holds."""
    if not notices:
        return fields
    return {key: value for key, value in fields.items() if value is not None}  # type: ignore[return-value]  # still OrderFields


def moment(value: object) -> str | None:
    """A time in milliseconds. Raises Unreadable for one before Indodax: then it is of no such unit."""
    return since_indodax(from_millis(value))


def since_indodax(text: str | None) -> str | None:
    """The time. Raises Unreadable where it is before there was an Indodax."""
    if text is not None and text < BEGINNING:
        raise Unreadable("no time of this exchange")
    return text


def identifier(value: object) -> str:
    """What names something. Raises Unreadable for what is no text, or an empty one."""
    text = text_of(value)
    if text is None:
        raise Unreadable("an id is missing")
    return text


def side_of(value: object) -> Side:
    """`BUY` and `buy` are both `buy`. Raises KeyError for any other word."""
    return SIDES[identifier(value).upper()]


def _trade_id(value: object) -> str | None:
    """As a text, or a number as it once may have been."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    return text_of(value)


def _client_id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value else None
    text = text_of(value)
    return None if text == "0" else text


def _object(value: object) -> Row | None:
    if value is not None and not isinstance(value, dict):
        raise Unreadable("it is no object")
    return value


def _liquidity(value: object) -> str | None:
    word = text_of(value)
    return None if word is None else LIQUIDITY[word]


def _currency(value: object) -> str | None:
    code = text_of(value)
    return None if code is None else names.currency(code)

"""Kraken WebSocket v2, private channels `executions` and `balances`.

The one rule: every element is read by itself, by its `exec_type`; a frame may mix
orders and fills. Source: protocols/kraken.md sections 2 and 4 (checked 2026-11-20).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from privstream.exchanges.base import each, unrecognised
from privstream.exchanges.kraken import names
from privstream.exchanges.kraken.life import Sequence
from privstream.exchanges.kraken.pairs import Pairs
from privstream.exchanges.kraken.refusals import error_for
from privstream.exchanges.kraken.session import KrakenSession, complaint_of, engine_state
from privstream.model.events import Source
from privstream.model.exact import amount, nonzero, normal
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderFields,
    OrderReport,
)
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Send
from privstream.model.times import from_rfc3339

ALREADY = "Already subscribed"
LIQUIDITY: dict[str, Literal["maker", "taker"]] = {"m": "maker", "t": "taker"}


class SessionV2(KrakenSession):
    """One v2 connection."""

    def __init__(
        self,
        token: str,
        channels: tuple[str, ...],
        spread: set[str] | None = None,
        pairs: Pairs | None = None,
    ) -> None:
        super().__init__(token, subscriptions(channels), pairs)
        self._spread = set() if spread is None else spread
        """Assets that are in other wallets than the main one; it outlives the connection."""
        self._pending: dict[int, str] = {}
        self._tells_orders = "orders" in channels

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        for req_id, channel in enumerate(self._wanted, start=1):
            self._pending[req_id] = channel
            text = subscribe_message(channel, self._token, req_id)
            yield Send(text, shown=subscribe_message(channel, "<token>", req_id))

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        channel = message.get("channel")
        if channel is not None:
            self._pulse.felt(now)
            yield from self._read_channel(channel, message)
        elif "method" in message:
            yield from self._read_reply(message)
        else:
            yield from self._read_complaint(message)

    # --- replies -----------------------------------------------------------------------

    def _read_reply(self, message: dict[str, Any]) -> Iterator[Action]:
        method = message["method"]
        if message.get("success") is False or ("error" in message and "result" not in message):
            yield from self._read_refusal(message)
        elif method == "subscribe":
            req_id, channel = message.get("req_id"), message["result"]["channel"]
            yield from self._read_acknowledgement(req_id, channel)
        elif method not in KNOWN_METHODS:
            yield unrecognised(message, f"no reply that is known: {method}")

    def _read_acknowledgement(self, req_id: object, channel: str) -> Iterator[Action]:
        # A server may leave the req_id out; then the channel tells which request it was.
        known = self._requested(req_id)
        yield from self._acknowledged(known or channel)

    def _requested(self, req_id: object) -> str | None:
        """The channel of a request of ours, which is answered now."""
        return self._pending.pop(req_id, None) if isinstance(req_id, int) else None

    def _read_refusal(self, message: dict[str, Any]) -> Iterator[Action]:
        """Of a subscription, also where the refusal says no req_id: it is one that waits."""
        text, req_id = complaint_of(message) or "no reason", message.get("req_id")
        channel = self._requested(req_id)
        if channel is None and message["method"] == "subscribe" and req_id is None:
            channel = self._requested(next(iter(self._pending), None))
        if channel is None:
            yield NoticeReport(level="error", code=message["method"], text=text, element=message)
        elif text.startswith(ALREADY):
            yield from self._acknowledged(channel)
        else:
            doing = self._asked_for() if req_id is None else f"the {channel} channel"
            raise error_for(text, doing)

    # --- channels ----------------------------------------------------------------------

    def _read_channel(self, channel: str, message: dict[str, Any]) -> Iterator[Action]:
        if channel in READERS:
            yield from self._read_data(channel, message)
        elif channel == "status":
            yield from each(message["data"], lambda e: engine_state(e["system"], e))
        elif channel != "heartbeat":
            yield unrecognised(message, f"no channel that is known: {channel}")

    def _read_data(self, channel: str, message: dict[str, Any]) -> Iterator[Action]:
        number = message.get("sequence")
        sequence = self._sequences.setdefault(channel, Sequence())
        if sequence.repeated(number):
            return
        is_snapshot = message["type"] == "snapshot"
        source: Source = "snapshot" if is_snapshot else "stream"
        reader = READERS[channel]
        elements = message["data"]
        if is_snapshot:  # fills before orders: their fees make up the orders'
            elements = sorted(elements, key=_is_no_fill)
        yield from each(elements, lambda e: reader(self, e, source, number), number)
        if is_snapshot:
            yield Listed("orders" if channel == "executions" else "balances")
            yield from self._listed(channel)
        yield from sequence.follow(number)

    # --- elements ----------------------------------------------------------------------

    def read_execution(
        self, element: dict[str, Any], source: Source, sequence: int | None
    ) -> Iterator[AnyReport]:
        """A fill, an order's new state, or both.

        A fill of a snapshot says nothing of its order; and who streams only fills need not
        know how far each order got.
        """
        time = from_rfc3339(element.get("timestamp"))
        self._hear(element.get("symbol"))
        if "exec_id" in element:
            yield _read_fill(element, time, source, sequence)
            if source == "snapshot" or not self._tells_orders:
                return
        yield OrderReport(
            order_id=element["order_id"],
            fields=_read_order(element, time),
            time=time,
            source=source,
            sequence=sequence,
            element=element,
        )

    def read_balance(
        self, element: dict[str, Any], source: Source, sequence: int | None
    ) -> Iterator[BalanceReport]:
        """A ledger entry, or what a snapshot says of one asset over all its wallets."""
        asset = element["asset"]
        wallet = (
            f"{element['wallet_type']}/{element['wallet_id']}" if "wallet_type" in element else None
        )
        if _is_spread(element, wallet):
            self._spread.add(names.currency(asset))
        yield BalanceReport(
            currency=names.currency(asset),
            exchange_currency=asset,
            wallet=wallet,
            total=amount(element["balance"]),
            change=amount(element.get("amount")),
            fee=amount(element.get("fee")),
            reason=names.word(element["type"]) if "type" in element else None,
            key=element.get("ledger_id"),
            time=from_rfc3339(element.get("timestamp")),
            source=source,
            sequence=sequence,
            element=element,
        )


def _is_spread(element: dict[str, Any], wallet: str | None) -> bool:
    """It is also in other wallets than the main one, or nobody knows in which."""
    if wallet is not None:
        return wallet != "spot/main"
    places = element.get("wallets") or []
    return not isinstance(places, list) or any(not _holds_all(place, element) for place in places)


def _holds_all(place: object, element: dict[str, Any]) -> bool:
    """It is the main wallet. One was seen that held less than the total, and was listed alone."""
    return (
        isinstance(place, dict)
        and (place.get("type"), place.get("id")) == ("spot", "main")
        and normal(str(place.get("balance"))) == normal(str(element.get("balance")))
    )


def _is_no_fill(element: object) -> bool:
    return not (isinstance(element, dict) and "exec_id" in element)


KNOWN_METHODS = frozenset(
    {
        "pong",
        "unsubscribe",
        "add_order",
        "amend_order",
        "edit_order",
        "cancel_order",
        "cancel_all",
        "cancel_all_orders_after",
        "batch_add",
        "batch_cancel",
    }
)


def subscriptions(channels: Iterable[str]) -> tuple[str, ...]:
    """The wire's channels for ours."""
    wire = {"orders": "executions", "trades": "executions", "balances": "balances"}
    return tuple(dict.fromkeys(wire[channel] for channel in channels))


def subscribe_message(channel: str, token: str, req_id: int) -> str:
    """Both snapshots are always asked for by name: the documents contradict each other."""
    params: dict[str, Any] = {"channel": channel, "token": token}
    if channel == "executions":
        params |= {"snap_orders": True, "snap_trades": True}
    else:
        params["snapshot"] = True
    request = {"method": "subscribe", "params": params, "req_id": req_id}
    return msgspec.json.encode(request).decode()


def _read_fill(
    element: dict[str, Any], time: str | None, source: Source, sequence: int | None
) -> Fill:
    symbol = element["symbol"]
    fee, fee_currency = _read_fees(element.get("fees"))
    # Positional, since naming the keys would cost a microsecond: see wire.Fill.
    return Fill(
        element["exec_id"],
        element["order_id"],
        names.symbol(symbol),
        symbol,
        element["side"],
        amount(element["last_price"]),
        amount(element["last_qty"]),
        amount(element["cost"]),
        fee,
        fee_currency,
        element.get("cl_ord_id") or None,
        names.word(element["order_type"]),
        LIQUIDITY.get(element.get("liquidity_ind", "")),
        (),
        None,
        time,
        source,
        sequence,
        element,
    )


def _read_fees(fees: list[dict[str, Any]] | None) -> tuple[str | None, str | None]:
    """The fee, where it is charged in one currency; else it cannot be told in one amount."""
    if not fees or len(fees) > 1:
        return None, None
    return amount(fees[0]["qty"]), names.currency(fees[0]["asset"])


_STATED_AMOUNTS = (("order_qty", "quantity"), ("cash_order_qty", "quote_quantity"), ("cum_qty", "filled"), ("cum_cost", "cost"))  # fmt: skip


def _read_order(element: dict[str, Any], time: str | None) -> OrderFields:
    fields: OrderFields = {}
    for wire, key in _STATED_AMOUNTS:
        if wire in element:
            fields[key] = amount(element[wire])  # type: ignore[literal-required]  # keys of OrderFields
    if element["exec_type"] == "pending_new":
        fields["created"] = time
        fields.setdefault("filled", "0")  # not live yet, and not always said
    if "avg_price" in element:
        fields["average_price"] = nonzero(element["avg_price"])
    if element.get("cl_ord_id"):
        fields["client_order_id"] = element["cl_ord_id"]
    _read_identity(element, fields)
    _read_prices(element, fields)
    reason = element.get("reason") or element.get("cancel_reason")
    if reason:
        fields["reason"] = names.word(reason)
    status = fields["exchange_status"] = element["order_status"]
    fields["status"] = names.status(status, fields.get("reason"))
    return fields


def _read_identity(element: dict[str, Any], fields: OrderFields) -> None:
    if "symbol" in element:
        fields["exchange_symbol"] = element["symbol"]
        symbol = fields["symbol"] = names.symbol(element["symbol"])
        fields["fee_currency"] = names.quote_of(symbol)
    if "side" in element:
        fields["side"] = element["side"]
    if "order_type" in element:
        fields["order_type"] = names.word(element["order_type"])
    if element.get("post_only"):
        fields["time_in_force"] = "post_only"
    elif element.get("time_in_force"):
        fields["time_in_force"] = names.word(element["time_in_force"])


def _read_prices(element: dict[str, Any], fields: OrderFields) -> None:
    if "limit_price" in element:
        is_price = element.get("limit_price_type") in STATIC
        fields["price"] = nonzero(element["limit_price"]) if is_price else None
    triggers = element.get("triggers")
    if triggers and "price" in triggers:
        # An offset is no price: what it makes of the market's is told besides, or not at all.
        is_price = triggers.get("price_type") in STATIC
        fields["stop_price"] = nonzero(triggers.get("price" if is_price else "actual_price"))
    elif "stop_price" in element:  # the deprecated name of the same
        fields["stop_price"] = nonzero(element["stop_price"])


STATIC = frozenset({None, "static"})
READERS = {"executions": SessionV2.read_execution, "balances": SessionV2.read_balance}

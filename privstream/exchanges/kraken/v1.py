"""Kraken WebSocket v1, private channels `openOrders` and `ownTrades`.

The one rule: an update holds only what changed, and is read by the terms of its order,
which are kept. Source: docs.kraken.com, WebSocket v1 (checked 2026-11-30).
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec

from privstream.exchanges.base import each, unrecognised
from privstream.exchanges.kit.fast import leave
from privstream.exchanges.kit.sequence import Sequence, number_of, unread
from privstream.exchanges.kraken import fast_v1
from privstream.exchanges.kraken.learnt import Learnt
from privstream.exchanges.kraken.orders import (
    Row,
    description_of,
    read_object,
    read_order,
    read_trade,
)
from privstream.exchanges.kraken.refusals import error_for
from privstream.exchanges.kraken.session import KrakenSession, complaint_of, engine_state
from privstream.model.events import Source
from privstream.model.exact import Part
from privstream.model.reports import Fill, Listed, NoticeReport, OrderFields, OrderReport
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Send

CLOSED = frozenset({"closed", "canceled", "expired"})
TERMS = (
    ("descr", dict),
    ("oflags", str),
    ("timeinforce", str),
    ("limitprice", str),
    ("stopprice", str),
    ("misc", str),
)


class SessionV1(KrakenSession):
    """One v1 connection."""

    frames_are_objects = False
    lists: ClassVar = {"openOrders": Listed("orders")}

    def __init__(self, token: str, channels: tuple[str, ...], learnt: Learnt | None = None) -> None:
        super().__init__(token, subscriptions(channels), learnt)
        self._seen_data: set[str] = set()
        self._terms: dict[str, dict[str, Any]] = {}
        """Of each open order what its updates are read by, but do not repeat."""
        self._descriptions: dict[str, OrderFields] = {}
        """What these terms say, as soon as it was needed."""

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        for reqid, name in enumerate(self._wanted, start=1):
            text = subscribe_message(name, self._token, reqid)
            yield Send(text, shown=subscribe_message(name, "<token>", reqid))

    def _ping_message(self, number: int) -> dict[str, Any]:
        return {"event": "ping", "reqid": number}

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        if isinstance(message, list):
            self._pulse.felt(now)
            yield from self._read_data(message)
            return
        event = message.get("event")
        if event == "pong":  # an answer to us, and no sign of the channels
            self._ponged(message.get("reqid"))
            return
        self._pulse.felt(now)
        if event == "subscriptionStatus":
            yield from self._read_subscription(message)
        elif event == "systemStatus":
            yield from engine_state(message["status"], message)
        elif event in ORDER_REPLIES:
            yield from read_order_reply(message)
        elif event not in SILENT:
            yield from self._read_complaint(message)

    # --- what comes most -----------------------------------------------------------------

    def read_fast(self, frame: bytes, now: Now) -> Iterable[Action]:
        if frame == fast_v1.HEARTBEAT:
            self._pulse.felt(now)
            return ()
        reports = self._fast_trades(frame) if b"ownTrades" in frame else self._fast_orders(frame)
        self._pulse.felt(now)
        return reports

    def _fast_trades(self, frame: bytes) -> list[Fill]:
        pieces, channel, numbering = fast_v1.decode_trades(frame)
        number, rows = numbering.sequence, fast_v1.named(pieces)
        numbers = self._expecting(channel, number)
        fills = [
            fast_v1.read_trade(trade_id, row, number, Part(frame, (0, index)))
            for index, (trade_id, row) in enumerate(rows.items())
        ]
        for row in rows.values():
            self._hear(row.pair)
        numbers.reached(number)
        return fills

    def _fast_orders(self, frame: bytes) -> list[OrderReport]:
        pieces, channel, numbering = fast_v1.decode_orders(frame)
        number, rows = numbering.sequence, fast_v1.named(pieces)
        numbers = self._expecting(channel, number)
        reports = [
            fast_v1.read_update(
                order_id, row, self._described(order_id), number, Part(frame, (0, index))
            )
            for index, (order_id, row) in enumerate(rows.items())
        ]
        for order_id, row in rows.items():
            if row.status in CLOSED:
                self._forget(order_id)
        numbers.reached(number)
        return reports

    def _described(self, order_id: str) -> OrderFields:
        """What an order's terms say, for updates that repeat none of them."""
        if order_id not in self._terms:
            leave("nothing is known of the order")
        if order_id not in self._descriptions:
            terms = self._terms[order_id]
            self._descriptions[order_id] = description_of(terms, _pair_of(terms))
        return self._descriptions[order_id]

    def _forget(self, order_id: str) -> None:
        self._terms.pop(order_id, None)
        self._descriptions.pop(order_id, None)

    def _read_subscription(self, message: dict[str, Any]) -> Iterator[Action]:
        name = message.get("channelName") or message.get("subscription", {}).get("name")
        if message["status"] == "error":
            doing = f"the {name} channel" if name else self._asked_for()
            raise error_for(complaint_of(message) or "no reason", doing)
        if message["status"] == "subscribed" and name in self._unacknowledged:
            self._learnt.rate_count(message.get("subscription", {}).get("maxratecount"))
            yield from self._acknowledged(name)

    # --- data --------------------------------------------------------------------------

    def _read_data(self, message: list[Any]) -> Iterator[Action]:
        # The channel's name is element 1.
        channel = message[1] if len(message) > 1 else None
        if channel not in READERS:
            yield unrecognised(message, "data of no private channel")
            return
        number = number_of(_numbering(message))
        sequence = self._sequences.setdefault(channel, Sequence())
        # Nothing in a frame says that it is the snapshot: the first one is.
        is_snapshot = number == 1 if number is not None else channel not in self._seen_data
        if sequence.is_past(number) and not is_snapshot:
            yield from sequence.follow(number)
            return
        self._seen_data.add(channel)
        source: Source = "snapshot" if is_snapshot else "stream"
        reader = READERS[channel]
        reports = each(
            _pieces(message[0]), lambda piece: reader(self, *_named(piece), source, number), number
        )
        if is_snapshot:
            yield from self._list(channel, reports)
        else:
            yield from reports
        if number is None:
            yield from unread(_numbering(message), message)
        yield from sequence.follow(number)

    def _read_order(
        self, order_id: str, update: Row, source: Source, sequence: int | None
    ) -> Iterator[OrderReport | NoticeReport]:
        terms = self._terms.get(order_id, {})
        row = {**terms, **read_object(update)}
        if isinstance(update.get("descr"), dict) and "descr" in terms:
            row["descr"] = {**terms["descr"], **update["descr"]}
        pair = _pair_of(row)
        self._hear(pair)
        yield from read_order(
            order_id,
            row,
            pair,
            update=update,
            source=source,
            sequence=sequence,
            element={order_id: update},
        )
        self._keep(order_id, row)

    def _keep(self, order_id: str, row: Row) -> None:
        status = row.get("status")
        self._descriptions.pop(order_id, None)
        if isinstance(status, str) and status in CLOSED:
            self._forget(order_id)
            return
        terms = self._terms.setdefault(order_id, {})
        terms.update({key: row[key] for key, kind in TERMS if isinstance(row.get(key), kind)})

    def _read_trade(
        self, trade_id: str, row: Row, source: Source, sequence: int | None
    ) -> Iterator[Fill | NoticeReport]:
        pair = read_object(row).get("pair")
        self._hear(pair)
        element = {trade_id: row}
        yield from read_trade(
            trade_id, row, pair, source=source, sequence=sequence, element=element
        )


def _numbering(message: list[Any]) -> object:
    """The sequence, which came later and is not always there, or what stands in its place."""
    told = message[2] if len(message) > 2 else None  # noqa: PLR2004 - the third element
    if told is None or isinstance(told, dict):
        return told.get("sequence") if told else None
    return [told]  # no number, also where it is one


def _pieces(elements: Any) -> Iterator[Any]:
    """One order or trade each; what is none is read, and found odd, by itself."""
    for element in elements if isinstance(elements, list) else [elements]:
        if isinstance(element, dict):
            yield from ({name: row} for name, row in element.items())
        else:
            yield element


def _named(piece: Any) -> tuple[str, Row]:
    """Its id and the rest. Raises where it is no object."""
    ((name, row),) = piece.items()
    return name, row


def _pair_of(row: Row) -> str | None:
    descr = row.get("descr")
    pair = descr.get("pair") if isinstance(descr, dict) else None
    return pair if isinstance(pair, str) else None


READERS: dict[str, Any] = {
    "openOrders": SessionV1._read_order,  # noqa: SLF001 - its own table
    "ownTrades": SessionV1._read_trade,  # noqa: SLF001
}
SILENT = frozenset({"heartbeat"})
ORDER_REPLIES = frozenset(
    {
        "addOrderStatus",
        "editOrderStatus",
        "cancelOrderStatus",
        "cancelAllStatus",
        "cancelAllOrdersAfterStatus",
    }
)


def subscriptions(channels: Iterable[str]) -> tuple[str, ...]:
    """The wire's channels for ours."""
    wire = {"orders": "openOrders", "trades": "ownTrades"}
    return tuple(wire[channel] for channel in channels if channel in wire)


def subscribe_message(name: str, token: str, reqid: int) -> str:
    """Every fill is asked for by itself: merged ones would have other ids than v2's."""
    subscription: dict[str, Any] = {"name": name, "token": token}
    if name == "ownTrades":
        subscription |= {"snapshot": True, "consolidate_taker": False}
    request = {"event": "subscribe", "reqid": reqid, "subscription": subscription}
    return msgspec.json.encode(request).decode()


def read_order_reply(message: dict[str, Any]) -> Iterator[NoticeReport]:
    """Replies to order calls, which this session does not make; only errors are told."""
    if message.get("errorMessage"):
        text = message["errorMessage"]
        yield NoticeReport(level="error", code=message["event"], text=text, element=message)

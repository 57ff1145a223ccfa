"""Kraken WebSocket v2, private channels `executions` and `balances`.

The one rule: every element is read by itself, by its `exec_type`; a frame may mix
orders and fills. Source: docs.kraken.com, WebSocket v2 (checked 2026-11-30).
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec

from privstream.exchanges.base import each, unrecognised
from privstream.exchanges.kit.sequence import Sequence, number_of, unread
from privstream.exchanges.kraken import fast_v2, names
from privstream.exchanges.kraken.balances import is_spread, read_balance
from privstream.exchanges.kraken.executions import read_execution
from privstream.exchanges.kraken.learnt import Learnt
from privstream.exchanges.kraken.refusals import error_for
from privstream.exchanges.kraken.session import KrakenSession, complaint_of, engine_state
from privstream.model.events import Source
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Listed,
    NoticeReport,
)
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Send

ALREADY = "Already subscribed"


class SessionV2(KrakenSession):
    """One v2 connection."""

    lists: ClassVar = {"executions": Listed("orders"), "balances": Listed("balances")}

    def __init__(self, token: str, channels: tuple[str, ...], learnt: Learnt | None = None) -> None:
        super().__init__(token, subscriptions(channels), learnt)
        self._pending: dict[int, str] = {}
        self._tells_orders = "orders" in channels

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        for req_id, channel in enumerate(self._wanted, start=1):
            self._pending[req_id] = channel
            text = subscribe_message(channel, self._token, req_id)
            yield Send(text, shown=subscribe_message(channel, "<token>", req_id))

    def _ping_message(self, number: int) -> dict[str, Any]:
        return {"method": "ping", "req_id": number}

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        channel = message.get("channel")
        if channel is not None:
            self._pulse.felt(now)
            yield from self._read_channel(channel, message)
        elif "method" in message:
            yield from self._read_reply(message)
        else:
            yield from self._read_complaint(message)

    def read_fast(self, frame: bytes, now: Now) -> Iterable[Action]:
        message = fast_v2.decode(frame)
        if isinstance(message, fast_v2.Heartbeat):
            self._pulse.felt(now)
            return ()
        numbers = self._expecting(message.name, message.sequence)
        if isinstance(message, fast_v2.Executions):
            reports = fast_v2.read_executions(message, frame, tells_orders=self._tells_orders)
            for element in message.data:
                if element.symbol not in self._heard:
                    self._hear(element.symbol)
        else:
            reports = fast_v2.read_balances(message, frame)
        numbers.reached(message.sequence)
        self._pulse.felt(now)
        return reports

    # --- replies -----------------------------------------------------------------------

    def _read_reply(self, message: dict[str, Any]) -> Iterator[Action]:
        method = message["method"]
        if message.get("success") is False or ("error" in message and "result" not in message):
            yield from self._read_refusal(message)
        elif method == "pong":
            self._ponged(message.get("req_id"))
        elif method == "subscribe":
            result = message["result"]
            self._learnt.rate_count(result.get("maxratecount"))
            yield from self._read_acknowledgement(message.get("req_id"), result["channel"])
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
        text = complaint_of(message) or "no reason"
        req_id = number_of(message.get("req_id"))
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
        number = number_of(message.get("sequence"))
        sequence = self._sequences.setdefault(channel, Sequence())
        is_snapshot = message.get("type") == "snapshot"
        if sequence.is_past(number) and not is_snapshot:
            yield from sequence.follow(number)
            return
        reports = self._read_elements(channel, message.get("data"), number, listing=is_snapshot)
        if is_snapshot:
            yield from self._list(channel, reports)
        else:
            yield from reports
        if number is None:
            yield from unread(message.get("sequence"), message)
        yield from sequence.follow(number)

    def _read_elements(
        self, channel: str, elements: Any, number: int | None, *, listing: bool
    ) -> Iterator[AnyReport]:
        reader = READERS[channel]
        source: Source = "snapshot" if listing else "stream"
        if not isinstance(elements, list):
            elements = [elements]  # found odd by itself
        if listing:  # fills before orders: their fees make up the orders'
            elements = sorted(elements, key=_is_no_fill)
        yield from each(elements, lambda e: reader(self, e, source, number), number)

    # --- elements ----------------------------------------------------------------------

    def read_execution(
        self, element: dict[str, Any], source: Source, sequence: int | None
    ) -> Iterator[AnyReport]:
        """A fill, an order's new state, or both."""
        self._hear(element.get("symbol"))
        return read_execution(element, source, sequence, tells_orders=self._tells_orders)

    def read_balance(
        self, element: dict[str, Any], source: Source, sequence: int | None
    ) -> Iterator[BalanceReport | NoticeReport]:
        """A ledger entry, or what a snapshot says of one asset over all its wallets."""
        currency = names.currency(element["asset"])
        if is_spread(element):
            self._learnt.spread.add(currency)
        return read_balance(element, source, sequence)


def _is_no_fill(element: object) -> bool:
    return not (isinstance(element, dict) and "exec_id" in element)


KNOWN_METHODS = frozenset(
    {
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


READERS = {"executions": SessionV2.read_execution, "balances": SessionV2.read_balance}

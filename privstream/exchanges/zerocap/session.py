"""Zerocap's socket: greeting, subscriptions, errors, and what the three channels tell.

The one rule: an order's fills are told with it, but each fill only once it is complete.
Source: https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from privstream.exchanges.base import JsonSession, each, unrecognised
from privstream.exchanges.kit.pulse import Pulse, Rhythm, native_ping
from privstream.exchanges.zerocap import fast
from privstream.exchanges.zerocap.elements import read_fill, read_order_push, read_price
from privstream.exchanges.zerocap.held import FeelessFills
from privstream.exchanges.zerocap.privacy import veiled
from privstream.exchanges.zerocap.readings import Readings
from privstream.exchanges.zerocap.refusals import error_for, is_final
from privstream.exchanges.zerocap.subscriptions import Subscriptions
from privstream.model.exact import Unreadable
from privstream.model.reports import AnyReport, Fill, Listed, NoticeReport, OrderReport
from privstream.model.rest import Now, RestFlow, Stamp
from privstream.model.session import TICK, Action, Ask, Ping, Ready, Reconnect, Send, Synced
from privstream.model.times import from_nanos

BEFORE_NS = 2 * 10**9
"""Fills inside an order this much older than the connection are its history, which REST tells.
(Times are whole seconds.) A new fill comes on the trade channel too, whatever our clock says."""
PRICES_AGAIN = 30.0
"""Seconds until prices that were unavailable are subscribed anew."""

RHYTHM = Rhythm(
    every=10.0,  # the server hangs up after 30 s without a message of ours
    login=10.0,
    silence=20.0,  # it sends a pong about every 5 s, asked or not
    sign="word",
    # Since its pongs are no answers, those of the WebSocket protocol are waited for besides.
    needs_sign=True,
)

Reports = tuple[AnyReport | Listed, ...]


def ping(number: int) -> Iterator[Send | Ping]:
    """One that keeps the server from hanging up, and one that is answered."""
    yield Send('{"type":"message","message":"ping"}')
    yield native_ping(number)


class ZerocapSession(JsonSession):
    """One connection."""

    def __init__(
        self,
        channels: tuple[str, ...],
        symbols: tuple[str, ...],
        *,
        read_balances: Callable[[], RestFlow[Reports]],
        look_up: Callable[[Iterable[str]], RestFlow[tuple[AnyReport, ...]]],
    ) -> None:
        self._read_balances = read_balances
        self._look_up = look_up
        self._subscriptions = Subscriptions(channels, symbols)
        self._fills = FeelessFills()
        self._pulse = Pulse(RHYTHM, ping)
        self._readings = Readings() if "balances" in channels else None
        self._ready = False
        self._since: str | None = None
        """Fills from before this were not made on this connection."""
        self._without_prices = False
        self._prices_again: float | None = None
        """When to subscribe anew to prices that are unavailable just now."""

    def open(self, stamp: Stamp) -> Iterator[Action]:
        """Say nothing yet: the server speaks first."""
        self._pulse.opened(stamp.now)
        self._since = from_nanos(stamp.now.wall_ns - BEFORE_NS)
        yield from ()

    def receive(self, frame: bytes, now: Now) -> Iterable[Action]:
        self._pulse.felt(now)
        actions = super().receive(frame, now)
        return actions if isinstance(actions, list) else map(veiled, actions)

    def read_fast(self, frame: bytes, now: Now) -> list[Action]:
        """It makes no notices, which alone are veiled."""
        reports = fast.read(frame)
        is_order = isinstance(reports[-1], OrderReport)
        if self._readings is not None:
            self._readings.stirred(now)
        actions: list[Action] = []
        for report in reports:
            if not isinstance(report, Fill):
                actions.append(report)
            elif not (is_order and self._is_history(report)):
                actions += self._fills.take(report, now)
        return actions

    def alive(self, now: Now, pong: bytes | None = None) -> None:  # noqa: ARG002 - no sign of life
        """A pong of the WebSocket protocol, which whoever stands between may send too."""
        self._pulse.ponged(pong)

    def patience(self, now: Now) -> float:
        return min(TICK, self._pulse.patience(now))

    def tick(self, now: Now) -> Iterator[Action]:
        yield from self._ask_for_fees(now)
        if self._readings is not None and self._readings.is_due(now):
            yield Ask(self._read_balances(), "the balances")
        if self._prices_again is not None and now.monotonic >= self._prices_again:
            self._prices_again = now.monotonic + PRICES_AGAIN
            yield from self._subscriptions.again("price")
        yield from self._pulse.check(now, None if self._ready else self._subscriptions.awaited)

    def _ask_for_fees(self, now: Now) -> Iterator[Action]:
        for fill in self._fills.overdue(now):
            if fill.order_id is not None:
                yield Ask(self._look_up([fill.order_id]), f"the fee of trade {fill.trade_id}")
        yield from self._fills.given_up(now)  # the ledger drops those that REST has told

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        kind = message["type"]
        if kind == "message":
            yield from self._read_words(message, now)
        elif kind == "error":
            yield from self._read_error(message)
        elif kind in {"order", "trade", "price"}:
            element = message["data"]
            if not element:
                raise Unreadable("no data")
            elements = element if isinstance(element, list) else [element]
            yield from self._read_elements(kind, elements, now)
        else:
            yield unrecognised(message, "no type of frame that is known")

    # --- words and errors --------------------------------------------------------------

    def _read_words(self, message: dict[str, Any], now: Now) -> Iterator[Action]:
        text = message["message"]
        if not text:
            raise Unreadable("no words")
        plain = text.lower()
        yield from self._subscriptions.begin()  # whatever comes first is the greeting
        channel, _, rest = plain.partition(" ")
        if rest.startswith("subscription successful"):
            if channel == "price":
                self._prices_again = None
            yield from self._settled(channel, now)
        elif plain.startswith("price stream unavailable"):
            yield from self._prices_unavailable(message, now)
        elif plain != "pong" and not plain.startswith("successfully connected"):
            yield NoticeReport(level="info", code="message", text=text, element=message)

    def _settled(self, channel: str, now: Now) -> Iterator[Action]:
        """The exchange has answered for this channel."""
        if channel != self._subscriptions.asked:
            return
        yield from self._subscriptions.proceed()
        if self._subscriptions.awaited is None and not self._ready:
            self._ready = True
            if self._readings is not None:
                self._readings.started(now)
            yield Ready()
            yield Synced()  # the stream lists nothing

    def _prices_unavailable(self, message: dict[str, Any], now: Now) -> Iterator[Action]:
        """Said once, until prices come again; the other channels go on."""
        if not self._without_prices:
            yield NoticeReport(
                level="warning",
                code="price_stream_unavailable",
                text=message["message"],
                element=message,
            )
        self._without_prices = True
        self._prices_again = now.monotonic + PRICES_AGAIN
        yield from self._settled("price", now)

    def _read_error(self, message: dict[str, Any]) -> Iterator[Action]:
        # The code is a text in the old dialect, a number in the new one.
        code, text = str(message.get("error_code", "")), str(message.get("error_message") or "")
        asked = self._subscriptions.asked
        doing = "the connection" if asked is None else f"the {asked} channel"
        if text.lower().startswith("ping timeout"):
            yield Reconnect("silence", "Zerocap says that it heard nothing of us: ping timeout")
        elif is_final(code, text):
            raise error_for(code, text, doing)
        elif respelled := list(self._subscriptions.respell()):
            yield from respelled
        elif not self._ready:
            raise error_for(code, text, doing)
        else:
            said = text or f"error {code}".strip()
            yield NoticeReport(level="error", code=code or None, text=said, element=message)
            yield from self._subscriptions.proceed()  # prices that are refused anew

    # --- channels ----------------------------------------------------------------------

    def _read_elements(self, kind: str, elements: list[Any], now: Now) -> Iterator[Action]:
        if kind == "price":
            self._without_prices, self._prices_again = False, None
            yield from each(elements, read_price)
            return
        if self._readings is not None:
            self._readings.stirred(now)
        read = _READERS[kind]
        for report in each(elements, read):
            if not isinstance(report, Fill):
                yield report
            elif kind == "trade" or not self._is_history(report):
                yield from self._fills.take(report, now)

    def _is_history(self, fill: Fill) -> bool:
        """An order repeats all its fills, also those that stood already when we connected."""
        return self._since is not None and fill.time is not None and fill.time <= self._since


_READERS: dict[str, Callable[[Any], Iterator[AnyReport]]] = {
    "order": partial(read_order_push, source="stream"),
    "trade": partial(read_fill, source="stream"),
}

"""One Bitfinex connection: login, lists, news of the account channel (chanId 0).

The one rule: every row is read by itself, and a frame is read before its number is
judged. Source: docs.bitfinex.com/docs/ws-general and ws-auth (checked 2026-11-30).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

from privstream.exchanges.base import JsonSession, each, unrecognised
from privstream.exchanges.bitfinex import fast
from privstream.exchanges.bitfinex.calculations import Calculations
from privstream.exchanges.bitfinex.executions import ReadFills
from privstream.exchanges.bitfinex.login import check_rights, error_of, refusal, said
from privstream.exchanges.bitfinex.memory import Memory
from privstream.exchanges.bitfinex.numbering import numbers
from privstream.exchanges.bitfinex.positions import Positions
from privstream.exchanges.bitfinex.refusals import code_of
from privstream.exchanges.bitfinex.rows import (
    Origin,
    kind_of_order,
    read_fill,
    read_notification,
    read_order,
    read_position,
    read_wallet,
    rows_of,
)
from privstream.exchanges.bitfinex.signing import login_message
from privstream.exchanges.bitfinex.wallets import BitfinexWallets
from privstream.exchanges.kit.fast import leave
from privstream.exchanges.kit.pulse import Pulse, Rhythm
from privstream.exchanges.kit.sequence import Sequence
from privstream.model.account import Account
from privstream.model.errors import LoginRefused, Refused, Unreachable
from privstream.model.events import Source
from privstream.model.exact import Unreadable
from privstream.model.reports import (
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
    PositionReport,
)
from privstream.model.rest import Now, Stamp
from privstream.model.session import TICK, Action, Ask, Delivered, Ready, Reconnect, Send, Synced
from privstream.model.times import to_nanos

LOGIN = 10.0  # seconds; a login may stay without any answer
RHYTHM = Rhythm(
    every=10.0,
    login=LOGIN,
    silence=40.0,  # a channel that was silent for 15 s says `hb`
    needs_sign=True,  # a pong proves the socket, only frames of the channel prove the channel
)
MAINTENANCE = 120.0  # seconds that it takes at most, by the documents
VERSION = 2
CONF = '{"event":"conf","flags":98304}'
"""TIMESTAMP (32768) and SEQ_ALL (65536): every frame has its number and the server's time."""
RESTART, PAUSE, RESUME = 20051, 20060, 20061
TORN = 3
"""So many connections in a row may lose a frame among their lists before one goes on without."""
LISTING = 10.0
"""Seconds from the open socket in which the lists come."""
LISTS = {"orders": "os", "balances": "ws", "positions": "ps"}
"""The list that the server sends by itself for each channel."""
# Account value, margin and funding info, algorithmic orders; funding; history.
SILENT = frozenset(
    (
        *("bu", "mis", "miu", "fiu", "ats"),
        *("fos", "fon", "fou", "foc", "fcs", "fcn", "fcu", "fcc"),
        *("fls", "fln", "flu", "flc", "fte", "ftu"),
        *("hos", "hts", "hfos", "hfcs", "hfls", "hfts"),
    )
)
Row = TypeVar("Row", OrderReport, Fill, BalanceReport, PositionReport, NoticeReport)


def ping(number: int) -> Iterator[Send]:
    """Its answer repeats the number."""
    yield Send(f'{{"event":"ping","cid":{number}}}')


class News(NamedTuple):
    """The rows of one frame."""

    kind: str
    rows: list[Any]
    origin: Origin
    now: Now

    def each(
        self, read: Callable[[Any, Origin], Iterator[Row | NoticeReport]]
    ) -> Iterator[Row | NoticeReport]:
        """Read every row by itself."""
        return each(self.rows, lambda row: read(row, self.origin), self.origin.sequence)


class BitfinexSession(JsonSession):
    """One connection; what must outlive it is in `memory`."""

    frames_are_objects = False

    def __init__(
        self, account: Account, channels: tuple[str, ...], memory: Memory, read_fills: ReadFills
    ) -> None:
        self._account = account
        self._channels = channels
        self._memory = memory
        self._fills_over_rest = read_fills
        self._pulse = Pulse(RHYTHM, ping)
        self._proofs: deque[tuple[Delivered, float]] = deque()
        """Proofs of delivery, and when each came."""
        self._opened = 0.0
        self._is_ready = False
        self._is_torn = False
        """A frame was lost among the lists, and we go on without."""
        self._sequence = Sequence()
        self._calculations = Calculations()
        self._wallets = BitfinexWallets(memory.balances, self._calculations_for("balances"))
        self._positions = Positions(memory.positions, self._calculations_for("positions"))
        self._unlisted = {LISTS[channel] for channel in channels if channel in LISTS}
        self._listed: set[str] = set()
        self._readers: dict[str, Callable[[News], Iterator[Action]]] = {
            **dict.fromkeys(("os", "on", "ou", "oc"), self._read_orders),
            **dict.fromkeys(("te", "tu"), self._read_fills),
            **dict.fromkeys(("ws", "wu"), self._read_wallets),
            **dict.fromkeys(("ps", "pn", "pu", "pc"), self._read_positions),
            "n": self._read_notifications,
        }

    def _calculations_for(self, channel: str) -> Calculations:
        """The connection's own, or where the channel is not streamed one that asks nobody."""
        return self._calculations if channel in self._channels else Calculations()

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        self._opened = stamp.now.monotonic
        # Before the login, so that the lists are numbered too.
        yield Send(CONF)
        yield login_message(self._account, stamp.nonce)

    def patience(self, now: Now) -> float:
        return min(TICK, self._pulse.patience(now))

    def tick(self, now: Now) -> Iterator[Action]:
        executions = self._memory.executions
        yield from executions.due(now)  # whatever becomes of this connection
        for action in self._pulse.check(now, None if self._is_ready else "answer to the login"):
            if isinstance(action, Delivered):
                self._proofs.append((action, now.monotonic))
            else:
                yield action
        yield from self._proven()
        if not self._is_ready and self._pulse.is_live:
            return
        if "trades" in self._channels and executions.must_ask(now):
            yield Ask(executions.complete(self._fills_over_rest), "the fee of a fill")
        yield from self._calculations.ask(now)
        yield from self._calculations.unanswered(now)

    def _proven(self) -> Iterator[Delivered]:
        """What the exchange has delivered is told only when no fill of it waits for its fee."""
        while self._proofs and not self._memory.executions.waits_since(self._proofs[0][1]):
            yield self._proofs.popleft()[0]

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        if isinstance(message, list):
            yield from self._read_frame(message, now)
        elif isinstance(message, dict):
            yield from self._read_event(message, now)
        else:
            yield unrecognised(message, "neither an event nor a channel's frame")

    def read_fast(self, frame: bytes, now: Now) -> list[Action]:
        news = fast.decode(frame)
        if self._sequence.awaited != news.number:
            leave("not the next frame")
        actions = self._fast_actions(news, now)
        self._pulse.felt(now)
        self._memory.clock_ns = news.sent * 10**6 - now.wall_ns
        self._sequence.reached(news.number)
        return actions

    def _fast_actions(self, news: fast.News, now: Now) -> list[Action]:
        known = self._memory.names
        match news.row:
            case fast.FillRow():
                fill = fast.read_fill(news.row, news, known)
                return list(self._memory.executions.take(fill, now))
            case fast.OrderRow():
                order = fast.read_order(news.row, news, known)
                self._wallets.reserve(order, news.row.type, now)
                return [order]
            case fast.WalletRow():
                balance = fast.read_wallet(news.row, news, known)
                return list(self._wallets.take(balance, now, in_list=False))
        return []

    # --- events ------------------------------------------------------------------------

    def _read_event(self, message: dict[str, Any], now: Now) -> Iterator[Action]:
        match message.get("event"):
            case "info":
                yield from self._read_info(message, now)
            case "auth":
                yield from self._read_auth(message)
            case "conf":
                yield from self._read_conf(message)
            case "error":
                yield from self._read_error(message)
            case "pong":
                self._pulse.answered(message.get("cid"))
            case _:
                yield unrecognised(message, "no event that is known")

    def _read_info(self, message: dict[str, Any], now: Now) -> Iterator[Action]:
        version = code_of(message.get("version"))
        if version not in {None, VERSION}:
            speaks = f"Bitfinex speaks version {version} here, privstream version {VERSION}"
            raise Refused(speaks, "check ws_url")
        platform = message.get("platform")
        code = code_of(message.get("code"))
        if code == RESTART:
            yield Reconnect("server_restart", "Bitfinex restarts this server (20051)")
        elif code == RESUME:
            yield Reconnect("maintenance", "Bitfinex's maintenance is over (20061)")
        elif code == PAUSE or (isinstance(platform, dict) and platform.get("status") == 0):
            if self._pulse.pause(now, MAINTENANCE):
                text = "Bitfinex is in maintenance: no news until it is over"
                yield NoticeReport(level="warning", code="maintenance", text=text, element=message)
        elif code is not None:
            text = said(message.get("msg"), f"info {code}")
            yield NoticeReport(level="info", code=str(code), text=text, element=message)

    def _read_auth(self, message: dict[str, Any]) -> Iterator[Action]:
        if message.get("status") != "OK":
            raise refusal(error_of(message), self._memory)
        self._memory.nonce_refusals = 0
        check_rights(message.get("caps"), self._channels)
        if not self._is_ready:
            self._is_ready = True
            yield Ready()
            yield from self._synced()

    def _read_conf(self, message: dict[str, Any]) -> Iterator[Action]:
        if message.get("status") != "OK":
            text = "Bitfinex gives no sequence numbers: lost frames would not be noticed"
            yield NoticeReport(level="warning", code="conf", text=text, element=message)

    def _read_error(self, message: dict[str, Any]) -> Iterator[Action]:
        code, text = code_of(message.get("code")), said(message.get("msg"), "no reason given")
        if not self._is_ready:
            problem = error_of(message)
            if isinstance(problem, LoginRefused | Unreachable):
                raise refusal(problem, self._memory)
        shown = None if code is None else str(code)
        yield NoticeReport(level="error", code=shown, text=text, element=message)

    # --- frames ------------------------------------------------------------------------

    def _read_frame(self, message: list[Any], now: Now) -> Iterator[Action]:
        number, sent = numbers(message)
        self._pulse.felt(now)
        if sent is not None:
            self._memory.clock_ns = to_nanos(sent) - now.wall_ns
        if not self._sequence.is_past(number):
            read = partial(self._read_channel, number=number, sent=sent, now=now)
            yield from each((message,), read, number)
        for loss in self._sequence.follow(number):
            if not self._must_do_without_lists(now):
                yield loss

    def _must_do_without_lists(self, now: Now) -> bool:
        """A frame was lost among the lists, as on the connections before: another one lists no more.

        This one goes on and never says that all was listed, so REST is read for it.
        """
        if self._unlisted and now.monotonic - self._opened < LISTING:
            self._memory.torn_lists += 1
            self._is_torn = self._memory.torn_lists > TORN
            return self._is_torn
        return False

    def _read_channel(
        self, message: list[Any], *, number: int | None, sent: str | None, now: Now
    ) -> Iterator[Action]:
        channel, kind = message[0], message[1]
        if channel != 0:
            yield unrecognised(message, "no channel that was asked for", number)
        elif isinstance(kind, str) and kind in self._readers:
            is_list = kind in LISTS.values()
            source: Source = "snapshot" if is_list and kind not in self._listed else "stream"
            origin = Origin(source, number, sent, self._memory.names)
            rows = rows_of(message[2], is_list=is_list)
            if not rows and not is_list:
                raise Unreadable("it brings no row")
            yield from self._readers[kind](News(kind, rows, origin, now))
            yield from self._after_list(kind)
        elif not isinstance(kind, str) or kind not in {"hb", *SILENT}:
            yield unrecognised(message, "no message that is known", number)

    def _after_list(self, kind: str) -> Iterator[Action]:
        if kind not in LISTS.values():
            return
        if kind == "os" and kind in self._listed:
            # Listed anew after a resync: what ended meanwhile is not in it.
            yield Reconnect("resync", "Bitfinex has listed the orders anew")
        self._listed.add(kind)
        if kind in self._unlisted:
            self._unlisted.discard(kind)
            yield from self._synced()

    def _synced(self) -> Iterator[Action]:
        if self._is_ready and not self._unlisted and not self._is_torn:
            self._memory.torn_lists = 0
            yield Synced()

    # --- rows --------------------------------------------------------------------------

    def _read_orders(self, news: News) -> Iterator[Action]:
        is_whole = True
        for report in news.each(partial(read_order, is_over=news.kind == "oc")):
            is_whole &= _is_whole((report,))
            yield report
            if isinstance(report, OrderReport) and news.kind != "os":
                self._wallets.reserve(report, kind_of_order(report.element), news.now)
        if news.kind == "os" and is_whole:
            yield Listed("orders")

    def _read_fills(self, news: News) -> Iterator[Action]:
        for report in news.each(read_fill):
            if isinstance(report, Fill):
                yield from self._memory.executions.take(report, news.now)
            else:
                yield report

    def _read_wallets(self, news: News) -> Iterator[Action]:
        reports = list(news.each(read_wallet))
        for report in reports:
            if isinstance(report, BalanceReport):
                yield from self._wallets.take(report, news.now, in_list=news.kind == "ws")
            else:
                yield report
        if news.kind == "ws" and _is_whole(reports):
            balances = [report for report in reports if isinstance(report, BalanceReport)]
            yield self._wallets.listed(balances, news.origin)

    def _read_positions(self, news: News) -> Iterator[Action]:
        reports = list(news.each(partial(read_position, closed=news.kind == "pc")))
        positions: list[PositionReport] = []
        for report in reports:
            if isinstance(report, PositionReport):
                positions.append(self._positions.take(report, news.now))
                yield positions[-1]
            else:
                yield report
        if news.kind == "ps" and _is_whole(reports):
            yield self._positions.listed(positions)

    def _read_notifications(self, news: News) -> Iterator[Action]:
        if "notices" in self._channels:
            yield from news.each(read_notification)


def _is_whole(reports: Iterable[object]) -> bool:
    """Every row could be told, though perhaps not with all its side values."""
    return not any(isinstance(r, NoticeReport) and r.once is None for r in reports)

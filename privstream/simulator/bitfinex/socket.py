"""The private WebSocket: events are objects, what the account does are arrays on channel 0.

The one rule: with SEQ_ALL every array carries the connection's own count, of whatever
kind it is; the account's count follows it except on heartbeats and `-req` notifications.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Close, Connection, Out, Text
from privstream.simulator.bitfinex.backend import Backend
from privstream.simulator.bitfinex.calc import Calculations
from privstream.simulator.bitfinex.channels import Filter
from privstream.simulator.bitfinex.keys import BitfinexRefused
from privstream.simulator.bitfinex.oddities import odd_frame
from privstream.simulator.bitfinex.orders import order_row
from privstream.simulator.bitfinex.positions import position_row
from privstream.simulator.bitfinex.wallets import KEYS, offers
from privstream.simulator.bitfinex.words import millis, uuid

VERSION = 2
USER_ID = 4162438
HEARTBEAT = 15.0  # seconds without a frame on channel 0
FIRST_CALCULATION = 0.3  # seconds until every wallet's available balance comes unasked
TIMESTAMP, SEQ_ALL = 32768, 65536
FLAGS = 8 | 32 | TIMESTAMP | SEQ_ALL | 131072 | 536870912
DEAD_MAN_SWITCH = 4
SNAPSHOTS = ("ps", "ws", "os", "fos", "fcs", "fls", "ats")
COMMANDS = frozenset({"on", "ou", "oc", "ox_multi", "oc_multi", "fon", "foc"})
Message = dict[str, Any]


class Socket(Connection):
    """One socket on `/ws/2`."""

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend, self._name = backend, name
        self._filter: Filter | None = None
        self._flags = self._count = 0
        self._position = backend.tape.position
        self._said = backend.platform.said
        self._calculations = Calculations(backend)
        self._owed: float | None = None
        self._dead_man_switch = False
        self._last_out = 0.0
        self._millis = 0

    def opened(self, now: Now) -> Iterable[Out]:
        status = int(self._backend.platform.operative)
        server = uuid(f"server/{self._name}")
        return self._sent(
            [
                {
                    "event": "info",
                    "version": VERSION,
                    "serverId": server,
                    "platform": {"status": status},
                }
            ],
            now,
        )

    def received(self, text: str, now: Now) -> Iterable[Out]:
        return self._sent(itertools.chain(self._news(now), self._answer(text, now)), now)

    def tick(self, now: Now) -> Iterable[Out]:
        outs = self._sent(itertools.chain(self._announced(), self._news(now)), now)
        if self._filter is not None and now.monotonic - self._last_out >= HEARTBEAT:
            outs = self._sent([self._numbered([0, "hb"], None)], now)
        if self._calculations.abused:
            outs.append(Close(1006))
        return outs

    def closed(self, now: Now) -> None:
        if self._dead_man_switch:
            books = self._backend.market.books
            books.at(now.wall_ns)
            for order_id in list(books.open):
                books.cancel(order_id)
        self._filter = None

    # --- events ------------------------------------------------------------------------

    def _answer(self, text: str, now: Now) -> Iterator[object]:
        try:
            message = exact.decode(text)
        except exact.Malformed:
            yield _error(10000, "json: invalid", {})
            return
        if isinstance(message, list):
            yield from self._commanded(message, now)
        elif isinstance(message, dict):
            yield from self._event(message, now)
        else:
            yield _error(10000, "event: unknown", {})

    def _event(self, message: Message, now: Now) -> Iterator[object]:
        answers: Mapping[str, Callable[[Message, Now], Iterable[object]]] = {
            "auth": self._auth,
            "unauth": self._unauth,
            "conf": self._conf,
            "ping": self._ping,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
        }
        event = message.get("event")
        if not isinstance(event, str) or event not in answers:
            yield _error(10000, "event: unknown", {})
            return
        yield from answers[event](message, now)

    def _auth(self, message: Message, now: Now) -> Iterator[object]:
        if self._filter is not None:
            yield _error(10100, "auth: dup", {})
            return
        try:
            self._log_in(message)
        except BitfinexRefused as refusal:
            yield {
                "event": "auth",
                "status": "FAILED",
                "chanId": 0,
                "code": refusal.code,
                "msg": refusal.text,
            }
            return
        yield self._welcome(message)
        yield from self._snapshots(*SNAPSHOTS)
        self._owed = now.monotonic + FIRST_CALCULATION

    def _log_in(self, message: Message) -> None:
        keys = self._backend.keys
        if not self._backend.platform.operative:
            raise BitfinexRefused(11000, "ready: invalid")
        wanted = Filter(message.get("filter"), keys.read)
        keys.check_login(message)
        self._dead_man_switch = message.get("dms") == DEAD_MAN_SWITCH
        self._filter = wanted
        self._position = self._backend.tape.position

    def _welcome(self, message: Message) -> Message:
        welcome: Message = {"event": "auth", "status": "OK", "chanId": 0, "userId": USER_ID}
        if "subId" in message:
            welcome["subId"] = message["subId"]
        return welcome | {"auth_id": uuid(f"auth/{self._name}"), "caps": self._backend.keys.caps}

    def _unauth(self, _message: Message, _now: Now) -> Iterator[object]:
        if self._filter is None:
            yield _error(10200, "unauth: invalid", {})
            return
        self._filter = None
        yield {"event": "unauth", "status": "OK", "chanId": 0}

    def _conf(self, message: Message, _now: Now) -> Iterator[object]:
        flags = message.get("flags")
        if type(flags) is not int or flags & ~FLAGS:
            yield _error(10050, "conf: invalid", {})
            return
        self._flags = flags
        yield {"event": "conf", "status": "OK", "flags": flags}

    def _ping(self, message: Message, now: Now) -> Iterator[object]:
        pong = {"event": "pong", "ts": millis(now.wall_ns)}
        yield pong | ({"cid": message["cid"]} if "cid" in message else {})

    def _subscribe(self, message: Message, _now: Now) -> Iterator[object]:
        # Public channels are another host's; and the account's channel is not subscribed to.
        yield {"channel": message.get("channel")} | _error(10300, "channel: unknown", {})

    def _unsubscribe(self, message: Message, _now: Now) -> Iterator[object]:
        yield {"chanId": message.get("chanId")} | _error(10401, "unsubscribe: invalid", {})

    # --- commands on channel 0 ---------------------------------------------------------

    def _commanded(self, message: list[Any], now: Now) -> Iterator[object]:
        if self._filter is None:
            yield _error(10100, "auth: invalid", {})
            return
        channel, command, _, payload = (*message, None, None, None, None)[:4]
        if channel == 0 and command == "calc":
            try:
                self._calculations.ask(payload)
            except BitfinexRefused as refusal:
                yield _error(refusal.code, refusal.text, {})
            yield from self._calculated(now)
        elif channel == 0 and command in COMMANDS:
            # The key has no right to write.
            refused = [None] * 32
            text = "permission: invalid"
            notice = [
                millis(now.wall_ns),
                f"{command}-req",
                None,
                None,
                refused,
                None,
                "ERROR",
                text,
            ]
            yield self._row("n", notice, None)
        else:
            yield _error(10001, "command: unknown", {})

    # --- what the account does ---------------------------------------------------------

    def _snapshots(self, *kinds: str) -> Iterator[object]:
        backend = self._backend
        books, position = backend.market.books, backend.margin.position
        positions = [] if position is None else [position_row(position, with_times=False)]
        wallets = [backend.wallets.row(key, calculated=False) for key in KEYS]
        orders = [order_row(order, books.trades) for order in books.open.values()]
        lists = {"ps": positions, "ws": wallets, "os": orders, "fos": offers()}
        for kind in kinds:
            if self._filter is not None and self._filter.has(kind):
                wanted = [r for r in lists.get(kind, []) if self._filter.wants(kind, r)]
                yield self._numbered([0, kind, wanted], 0)

    def _news(self, now: Now) -> Iterator[object]:
        tape = self._backend.tape
        tape.advance(now)
        self._millis = millis(now.wall_ns)
        if self._filter is None:
            return
        if not self._backend.platform.operative:
            return  # nothing is traded, and nothing told
        frames = tape.since(self._position)
        self._position = tape.position
        for frame in frames:
            if self._filter.wants(frame.type, frame.payload):
                yield self._row(frame.type, frame.payload, frame.account)
        yield from self._calculated(now)

    def _calculated(self, now: Now) -> Iterator[object]:
        if self._owed is not None and now.monotonic >= self._owed:
            self._owed = None
            self._calculations.add_wallets()
        for kind, payload in self._calculations.results(now):
            if self._filter is not None and self._filter.wants(kind, payload):
                yield self._row(kind, payload, self._backend.tape.account)

    def _announced(self) -> Iterator[object]:
        announcements = self._backend.platform.since(self._said)
        self._said += len(announcements)
        yield from announcements

    # --- frames ------------------------------------------------------------------------

    def _row(self, kind: str, payload: Any, account: int | None) -> list[Any]:
        if kind == "n" and str(payload[1]).endswith("-req"):
            account = None
        return self._numbered([0, kind, payload], account)

    def _numbered(self, frame: list[Any], account: int | None) -> list[Any]:
        if self._backend.odd:
            frame = odd_frame(frame)
        self._count += 1
        if self._flags & SEQ_ALL:
            frame.append(self._count)
            if account is not None:
                frame.append(account)
        if self._flags & TIMESTAMP:
            frame.append(self._millis)
        return frame

    def _sent(self, frames: Iterable[object], now: Now) -> list[Out]:
        self._millis = millis(now.wall_ns)
        told = list(frames)
        if any(isinstance(frame, list) for frame in told):
            self._last_out = now.monotonic
        return [Text(exact.encode(frame).decode()) for frame in told]


def _error(code: int, text: str, more: Message) -> Message:
    return {**more, "event": "error", "msg": text, "code": code}

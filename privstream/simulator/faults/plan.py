"""Which fault strikes now: the plan of one exchange, and what is wrong with it at the moment.

Pure: it only decides, by the time it is told and by a seed. Who carries it out is
`server.py`, or a test in memory.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from random import Random
from typing import Literal, TypeAlias

from msgspec import Struct

from privstream.model.rest import Now
from privstream.model.times import from_nanos
from privstream.simulator.base import (
    Answer,
    Close,
    Out,
    Refusal,
    Request,
    SimulatedExchange,
    Text,
)
from privstream.simulator.faults.grammar import FOREVER, Fault, Kind, parse_now
from privstream.simulator.faults.line import Deed, Line

Step: TypeAlias = Literal["strike", "random", "end"]
OF_EXCHANGE: frozenset[Kind] = frozenset({"expire", "refuse", "maintenance", "http", "swallow"})
"""What strikes the exchange rather than its open sockets."""
TIMED_OUT = Answer(504, b"<html><body><h1>504 Gateway Time-out</h1></body></html>", "text/html")
CUT = Close(1006)
DOWN = Answer(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", "text/html")


class Happened(Struct, frozen=True):
    """A fault that struck, or one that is over.

    `sockets` were struck; `frame` is the account frame that was, where one was alone.
    """

    wall_ns: int
    exchange: str
    fault: Fault
    sockets: int = 0
    frame: str = ""
    note: str = ""

    def __str__(self) -> str:
        line = f"{from_nanos(self.wall_ns)} {self.exchange}: {self.fault}"
        return f"{line} ({self.note})" if self.note else line


class Faults:
    """The faults of one simulated exchange; without a plan there are none.

    What is asked for by hand may be asked from any thread; the rest is for the server.
    """

    def __init__(
        self,
        planned: Iterable[Fault] = (),
        *,
        random: Iterator[Fault] | None = None,
        seed: int = 1,
        exchange: SimulatedExchange | None = None,
        tell: Callable[[Happened], None] = lambda _: None,
    ) -> None:
        planned = list(planned)
        self.happened: list[Happened] = []
        self._by_time = [f for f in planned if f.when.unit in {"after", "every", "now"}]
        self._by_frame = [f for f in planned if f.when.unit == "n"]
        self._by_connection = [f for f in planned if f.when.unit == "connect"]
        self._drawn = iter(()) if random is None else random
        self._seed, self._exchange, self._tell = seed, exchange, tell
        self._numbers = itertools.count()
        self._queue: list[tuple[float, int, Step, Fault]] = []
        """What is to come, by the seconds since the start."""
        self._started: float | None = None
        self._asked: deque[Fault] = deque()
        self._lines: list[Line] = []
        self._for_next: list[Fault] = []
        self._frames = self._connections = 0
        self._mute = False
        self._http: Fault | None = None
        self._http_until = 0.0
        self._closed_down = False
        self._swallowed: deque[Fault] = deque()
        """What is to swallow the next confirmations of orders, one each."""

    # --- what a test or a person asks for, from any thread -----------------------------

    def strike(self, fault: Fault | str) -> None:
        """Let a fault strike now, whatever its moment; as a text it has none: `close=1012`."""
        self._asked.append(parse_now(fault) if isinstance(fault, str) else fault)

    def mute(self, *, on: bool = True) -> None:
        """Send no frame any more, on new sockets neither, while they stay open."""
        self._mute = on

    @property
    def sockets(self) -> int:
        """How many are open."""
        return len(self._lines)

    # --- what the server asks ----------------------------------------------------------

    def begin(self, now: Now) -> None:
        """The exchange is there: moments count from now."""
        self._started = now.monotonic
        for fault in self._by_time:
            self._plan("strike", fault, fault.when.value)
        self._draw()

    def due(self, now: Now) -> None:
        """Let strike what is due, and end what is over, each as of its own moment."""
        if self._started is None:
            self.begin(now)
        passed = self._passed(now)
        while self._queue and self._queue[0][0] <= passed:
            at, _, step, fault = heapq.heappop(self._queue)
            self._take_step(step, fault, at, _earlier(now, passed - at))
        while self._asked:
            self._happen(self._asked.popleft(), now)

    def refusal(self, now: Now) -> Answer | None:
        """What a request or a handshake is answered before the exchange is even asked."""
        if self._http is None:
            return DOWN if self._closed_down else None
        return _answer(self._http, self._http_until - now.monotonic)

    def connecting(self, now: Now) -> Answer | None:
        """Somebody wants to open a socket; returns what refuses it."""
        self.due(now)
        self._connections += 1
        for fault in self._by_connection:
            if fault.when.value != self._connections:
                continue
            if fault.kind in OF_EXCHANGE:
                self._happen(fault, now)
            else:
                self._for_next.append(fault)
        return self.refusal(now)

    def line(self, now: Now) -> Line:
        """A socket was opened."""
        serial = f"{self._seed}/{self._connections}"
        line = Line(self._without_data, self._counted, self._struck_frame, Random(serial))
        self._lines.append(line)
        waiting, self._for_next = self._for_next, []
        for fault in waiting:
            self._strike_lines(fault, [line], now)
        return line

    def closed(self, line: Line) -> None:
        """A socket is gone."""
        if line in self._lines:
            self._lines.remove(line)

    def through(self, line: Line, outs: Iterable[Out], now: Now) -> list[Deed]:
        """What becomes of what the exchange says on a socket."""
        if self._mute:
            return []
        if self._swallowed:
            outs = list(self._without_confirmations(outs, now))
        if not (self._by_frame or line.was_struck):
            return list(outs)  # nobody counts, nothing to spoil: no need to look into it
        return line.through(outs, now)

    def answered(self, request: Request, answer: Answer, now: Now) -> Answer | None:
        """What becomes of an answer of REST; `None` where the connection ends without one."""
        exchange = self._exchange
        if not self._swallowed or exchange is None or not exchange.confirmed(request, answer):
            return answer
        fault = self._swallowed.popleft()
        self._say(fault, now, note=f"{request.path} was done")
        return None if fault.word == "cut" else TIMED_OUT

    # --- below -------------------------------------------------------------------------

    def _without_confirmations(self, outs: Iterable[Out], now: Now) -> Iterator[Out]:
        for out in outs:
            confirms = isinstance(out, Text) and self._confirms(out.text)
            if not confirms or not self._swallowed:
                yield out
                continue
            fault = self._swallowed.popleft()
            self._say(fault, now, sockets=1, note="an order call was done")
            if fault.word == "cut":
                yield CUT
                return

    def _confirms(self, text: str) -> bool:
        return self._exchange is not None and self._exchange.confirms(text)

    def _without_data(self, text: str) -> str | None:
        return None if self._exchange is None else self._exchange.without_data(text)

    def _passed(self, now: Now) -> float:
        return now.monotonic - (self._started or 0.0)

    def _plan(self, step: Step, fault: Fault, at: float) -> None:
        heapq.heappush(self._queue, (at, next(self._numbers), step, fault))

    def _draw(self) -> None:
        """Random faults are drawn one by one."""
        fault = next(self._drawn, None)
        if fault is not None:
            self._plan("random", fault, fault.when.value)

    def _take_step(self, step: Step, fault: Fault, at: float, now: Now) -> None:
        if step == "end":
            self._end(fault, now)
            return
        if step == "random":
            self._draw()
            if fault.kind == "refuse" and not self._lines:
                # Perhaps the last login was refused; twice in a row would be for good.
                self._say(fault, now, note="nobody was connected")
                return
        elif fault.when.unit == "every":
            self._plan("strike", fault, at + fault.when.value)
        self._happen(fault, now)

    def _counted(self, line: Line, now: Now) -> None:
        """An account frame is about to go out."""
        self._frames += 1
        for fault in self._by_frame:
            if fault.when.value == self._frames:
                if fault.kind in OF_EXCHANGE:
                    self._happen(fault, now)
                else:
                    self._strike_lines(fault, [line], now)

    def _happen(self, fault: Fault, now: Now) -> None:
        if fault.kind in OF_EXCHANGE:
            self._strike_exchange(fault, now)
        else:
            self._strike_lines(fault, list(self._lines), now)

    def _strike_lines(self, fault: Fault, lines: list[Line], now: Now) -> None:
        struck = [line.strike(fault, now) for line in lines if line.takes(fault)]
        if not struck:
            self._say(fault, now, note="nobody was connected")
        elif any(struck):
            self._say(fault, now, sockets=len(struck))

    def _struck_frame(self, fault: Fault, frame: str, now: Now) -> None:
        self._say(fault, now, sockets=1, frame=frame)

    def _strike_exchange(self, fault: Fault, now: Now) -> None:
        note = ""
        match fault.kind:
            case "swallow":
                self._swallowed.extend(itertools.repeat(fault, fault.count))
                note = "from now on"
            case "http":
                self._http, self._http_until = fault, now.monotonic + fault.seconds
            case "maintenance":
                self._maintain(now, on=True)
            case "refuse" if not self._refuse(fault.word):
                note = "this exchange has no such refusal"
            case "expire" if self._exchange is None or not self._exchange.expire(now):
                note = "nothing expires here"
        self._say(fault, now, sockets=len(self._lines), note=note)
        if 0 < fault.seconds < FOREVER:
            self._plan("end", fault, self._passed(now) + fault.seconds)

    def _end(self, fault: Fault, now: Now) -> None:
        if any(step == "end" and f.kind == fault.kind for _, _, step, f in self._queue):
            return  # another one of its kind goes on
        match fault.kind:
            case "http":
                self._http = None
            case "maintenance":
                self._maintain(now, on=False)
            case _:
                self._refuse("")
        self._say(fault, now, note="over")

    def _maintain(self, now: Now, *, on: bool) -> None:
        if self._exchange is not None and self._exchange.maintenance(on=on):
            return
        self._closed_down = on
        goodbye = (
            Close(1012, "service restart") if self._exchange is None else self._exchange.goodbye
        )
        for line in self._lines if on else ():
            line.strike(Fault("close", count=goodbye.code, text=goodbye.reason), now)

    def _refuse(self, word: str) -> bool:
        why: Mapping[str, Refusal] = {"key": "key", "nonce": "nonce"}
        return self._exchange is not None and self._exchange.refuse(why.get(word))

    def _say(
        self, fault: Fault, now: Now, *, sockets: int = 0, frame: str = "", note: str = ""
    ) -> None:
        name = "" if self._exchange is None else self._exchange.name
        told = Happened(now.wall_ns, name, fault, sockets, frame, note)
        self.happened.append(told)
        self._tell(told)


def _earlier(now: Now, seconds: float) -> Now:
    return Now(now.wall_ns - round(seconds * 1e9), now.monotonic - seconds)


def _answer(fault: Fault, left: float) -> Answer:
    """The error of a gateway before the exchange, and when to come again."""
    known = {status.value: status.phrase for status in HTTPStatus}
    phrase = f"{fault.count} {known.get(fault.count, '')}".strip()
    again = fault.count in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    headers = {"Retry-After": str(max(1, math.ceil(left)))} if again else {}
    page = f"<html><body><h1>{phrase}</h1></body></html>".encode()
    return Answer(fault.count, page, "text/html", headers)

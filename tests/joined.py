"""A supervisor and a simulated exchange joined in memory: fake time, no port, no thread.

    world = World("kraken", seed=3).at(5, World.cut).at(20, World.down, 8)
    events = world.watch(60)

The simulator is as strict as ever; what `at` plans goes wrong at that second.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from privstream.connection.backoff import Backoff
from privstream.connection.supervisor import Outside, Supervisor
from privstream.connection.websocket import Closed
from privstream.errors import Interrupted, LoginRefused, Unreachable
from privstream.events import AnyEvent, Status, Trade
from privstream.exchanges import find
from privstream.ledger import Ledger, View
from privstream.simulator import find as find_simulated
from privstream.simulator.base import (
    Answer,
    Close,
    Connection,
    Out,
    Ping,
    Request,
    SimulatedExchange,
    Text,
)
from privstream.times import from_nanos
from privstream.wire import Handshake, HttpRequest, HttpResponse, Now, RestFlow, Stamp
from tests.fake_clock import FakeClock

T = TypeVar("T")
BASE = "http://127.0.0.1:1"
STEP = 0.05


class World:
    """One exchange, one account, one client, and what goes wrong between them."""

    def __init__(
        self,
        name: str,
        *,
        seed: int = 1,
        rate: float = 2.0,
        options: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
        max_retries: int | None = None,
        ahead: float = 0.0,
        view: Mapping[str, Any] | None = None,
        **simulated: Any,
    ) -> None:
        self.clock = FakeClock()
        self.client_clock = AheadClock(self.clock, ahead)
        self.stop = threading.Event()
        self.simulated: SimulatedExchange = find_simulated(name)(seed=seed, rate=rate, **simulated)
        account = self.simulated.account(BASE, options or {})
        exchange = find(name)(account)
        self.channels = exchange.select(channels)
        self._outbox = Outbox()
        self.notes: list[str] = []
        self.requests: list[str] = []
        self.sockets: list[JoinedSocket] = []
        self.spoil: Callable[[str], Iterable[str]] = lambda text: [text]
        """What becomes of each frame on its way to the client."""
        self.refuse: Callable[[HttpRequest], HttpResponse | None] = lambda _: None
        """An answer in place of the exchange's own."""
        self._plan: list[tuple[float, Callable[..., object], tuple[Any, ...]]] = []
        self._down_until = 0.0
        self._mute = False
        self._nonce = 0
        self._nonce_unit = exchange.limits.nonce_unit
        self.skew_ns = 0
        shown = {"exchange": name, "account": name, "channels": frozenset(self.channels)}
        ledger = Ledger(
            View(**shown, **(view or {})),  # type: ignore[arg-type]  # as named
            started=from_nanos(self.client_clock.now().wall_ns),
        )
        outside = Outside(
            clock=self.client_clock,
            socket=self._socket,
            rest=self,
            nonce=self._next_nonce,
            backoff=Backoff(exchange.limits.connects, Random(seed)),
            outlet=self._outbox,
            note=self.notes.append,
        )
        self.supervisor = Supervisor(
            exchange, self.channels, ledger, outside, stop=self.stop, max_retries=max_retries
        )

    # --- the story ---------------------------------------------------------------------

    def at(self, second: float, happens: Callable[..., object], *arguments: Any) -> Self:
        """Plan what goes wrong, that many seconds after the start."""
        due = self.clock.now().monotonic + second
        self._plan.append((due, happens, arguments))
        self._plan.sort(key=lambda plan: plan[0])
        return self

    def watch(self, seconds: float) -> list[AnyEvent]:
        """Run for so long; returns the events. Raises what ends the supervisor."""
        self.at(seconds, World.end)
        self.supervisor.run()
        return self.events

    def cut(self) -> None:
        """The connection is gone without a word."""
        self.sockets[-1].end = Interrupted("the connection broke: reset")

    def close(self, code: int, reason: str = "") -> None:
        """The server closes the connection."""
        self.sockets[-1].end = Closed(code, reason)

    def down(self, seconds: float) -> None:
        """Nothing of the exchange can be reached for so long."""
        self.unreachable_for(seconds)
        self.cut()

    def unreachable_for(self, seconds: float) -> None:
        """No new connection and no answer for so long."""
        self._down_until = self.clock.now().monotonic + seconds

    def mute(self, seconds: float) -> None:
        """The socket stays open and nothing comes any more, for so long."""
        self._mute = True
        self.at_now(seconds, World.unmute)

    def unmute(self) -> None:
        self._mute = False

    def at_now(self, seconds: float, happens: Callable[..., object]) -> None:
        self._plan.append((self.clock.now().monotonic + seconds, happens, ()))
        self._plan.sort(key=lambda plan: plan[0])

    def end(self) -> None:
        """The user has seen enough."""
        self.stop.set()

    def pass_time(self, seconds: float) -> None:
        """Let time go by, and happen what was planned."""
        self.clock.advance(seconds)
        while self._plan and self._plan[0][0] <= self.clock.now().monotonic:
            _, happens, arguments = self._plan.pop(0)
            happens(self, *arguments)

    # --- what was told -----------------------------------------------------------------

    @property
    def events(self) -> list[AnyEvent]:
        """Everything so far."""
        return self._outbox.told

    def told(self, kind: type[T]) -> list[T]:
        """The events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def told_trades(self) -> list[str]:
        return [trade.trade_id for trade in self.told(Trade)]

    def states(self) -> list[str]:
        return [status.state for status in self.told(Status)]

    # --- the outside of a supervisor ---------------------------------------------------

    def _socket(self) -> "JoinedSocket":
        socket = JoinedSocket(self)
        self.sockets.append(socket)
        return socket

    @contextmanager
    def _next_nonce(self) -> Iterator[int]:
        unit = self._nonce_unit
        self._nonce = max(self._nonce + 1, self.clock.now().wall_ns // unit)
        yield self._nonce

    @property
    def is_down(self) -> bool:
        return self.clock.now().monotonic < self._down_until

    @property
    def is_mute(self) -> bool:
        return self._mute

    def run(
        self,
        flow: RestFlow[T],
        *,
        idle: Callable[[], None] | None = None,
        deadline: float = 60.0,
    ) -> T:
        """As the REST client."""
        until = self.clock.now().monotonic + deadline
        try:
            call = next(flow)
            while True:
                self.requests.append(call.name)
                self.pass_time(STEP)
                if idle is not None:
                    idle()
                if self.is_down or self.clock.now().monotonic > until:
                    raise Unreachable(f"{call.name}: cannot reach the exchange")
                with self._next_nonce() as nonce:
                    request = call.build(Stamp(self.client_clock.now(), nonce))
                    response = self.refuse(request) or self._answered(request)
                self.skew_ns = self.clock.now().wall_ns - self.client_clock.now().wall_ns
                call = flow.send(response)
        except StopIteration as end:
            result: T = end.value
            return result

    def _answered(self, request: HttpRequest) -> HttpResponse:
        answer = self.simulated.request(_as_request(request), self.clock.now())
        headers = {"content-type": answer.content_type, **answer.headers}
        return HttpResponse(status=answer.status, headers=headers, body=answer.body)


class AheadClock:
    """The client's clock, so many seconds ahead of the exchange's."""

    def __init__(self, clock: FakeClock, ahead: float) -> None:
        self._clock = clock
        self._ahead_ns = round(ahead * 1e9)

    def now(self) -> Now:
        wall_ns, monotonic = self._clock.now()
        return Now(wall_ns + self._ahead_ns, monotonic)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return self._clock.wait(seconds, stop)


class Outbox:
    """Collects what a supervisor delivers."""

    def __init__(self) -> None:
        self.told: list[AnyEvent] = []

    def events(self, events: list[AnyEvent]) -> None:
        self.told += events

    def frames(self, frames: list[bytes]) -> None:
        """Nobody asked for frames."""


class JoinedSocket:
    """A socket whose other end is a simulated exchange in the same thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connection: Connection | None = None
        self._waiting: list[bytes] = []
        self.end: Interrupted | None = None
        self.controls = 0
        self.sent: list[str] = []

    def open(self, handshake: Handshake) -> None:
        world = self._world
        world.pass_time(STEP)
        if world.is_down:
            raise Unreachable("cannot reach the exchange: connection refused")
        headers = {name.lower(): value for name, value in handshake.headers.items()}
        parts = urlsplit(handshake.url)
        request = Request("GET", parts.path or "/", parts.query, headers)
        answer = world.simulated.connect(request, world.clock.now())
        if isinstance(answer, Answer):
            raise LoginRefused(f"the handshake was refused: HTTP {answer.status}")
        self._connection = answer
        self._take(answer.opened(world.clock.now()))

    def receive(self, timeout: float) -> list[bytes]:
        world = self._world
        world.pass_time(max(timeout, STEP) if not self._waiting else 0.0)
        if self._connection is not None and self.end is None:
            self._take(self._connection.tick(world.clock.now()))
        if self._waiting and not world.is_mute:
            waiting, self._waiting = self._waiting, []
            return waiting
        if self.end is not None and not world.is_mute:
            raise self.end
        return []

    def send(self, text: str) -> None:
        self.sent.append(text)
        if self._connection is not None:
            self._take(self._connection.received(text, self._world.clock.now()))

    def close(self) -> None:
        self._connection = None

    def abort(self) -> None:
        self.end = Interrupted("aborted")

    def _take(self, outs: Iterable[Out]) -> None:
        for out in outs:
            match out:
                case Text():
                    spoilt = self._world.spoil(out.text)
                    if not self._world.is_mute:
                        self._waiting += [text.encode() for text in spoilt]
                case Close():
                    self.end = Closed(out.code, out.reason)
                case Ping() if not self._world.is_mute and self._connection is not None:
                    self.controls += 1
                    self._connection.ponged(self._world.clock.now())


def _as_request(request: HttpRequest) -> Request:
    path, _, query = request.path.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, path, query, headers, request.body)

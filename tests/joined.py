"""A supervisor and a simulated exchange joined in memory: fake time, no port, no thread.

    world = World("kraken", seed=3).at(5, World.cut).at(20, World.down, 8)
    events = world.watch(60)

The simulator is as strict as ever; what `at` plans goes wrong at that second.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar

from privstream.connection.account.backoff import Backoff
from privstream.connection.account.supervisor import Outside, Supervisor
from privstream.connection.budgets import Budgets
from privstream.connection.clock import Uptime
from privstream.connection.rest.job import AT_ONCE, Job, Manner
from privstream.connection.rest.pacing import Pacing
from privstream.connection.socket.websocket import Closed
from privstream.connection.tokens.cache import Tokens
from privstream.connection.tokens.file import TokenFile
from privstream.exchanges import find
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.errors import Interrupted, Unreachable
from privstream.model.events import AnyEvent, Status, Trade
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, RestFlow, Stamp
from privstream.model.times import from_nanos
from privstream.simulator import find as find_simulated
from privstream.simulator.base import (
    SimulatedExchange,
)
from privstream.simulator.faults import (
    Fault,
    Faults,
    chaos,
    parse,
)
from tests.fake_clock import FakeClock
from tests.joined_socket import STEP, JoinedSocket, as_request, as_response

T = TypeVar("T")
BASE = "http://127.0.0.1:1"
RATE = 1.0
"""Happenings a second in a simulated account, unless a test wants more."""
ANSWER_LIMIT = 10.0
"""Seconds that an answer over REST is waited for."""


class World:
    """One exchange, one account, one client, and what goes wrong between them."""

    def __init__(
        self,
        name: str,
        *,
        seed: int = 1,
        rate: float = RATE,
        options: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
        max_retries: int | None = None,
        ahead: float = 0.0,
        since: float | None = None,
        audit_every: float = 0.0,
        view: Mapping[str, Any] | None = None,
        faults: Iterable[Fault | str] = (),
        chaos_every: float | None = None,
        cache: Path | None = None,
        budgets: Budgets | None = None,
        **simulated: Any,
    ) -> None:
        self.clock = FakeClock()
        self.client_clock = AheadClock(self.clock, ahead)
        self.stop = threading.Event()
        self.simulated: SimulatedExchange = find_simulated(name)(seed=seed, rate=rate, **simulated)
        self.faults = Faults(
            [parse(fault) if isinstance(fault, str) else fault for fault in faults],
            random=None if chaos_every is None else chaos(chaos_every, f"{seed}/{name}"),
            seed=seed,
            exchange=self.simulated,
        )
        """What goes wrong as in `privstream simulate --fault`."""
        self.faults.begin(self.clock.now())
        account = self.simulated.account(BASE, options or {})
        exchange = self.exchange = find(name)(account)
        self.channels = exchange.select(channels)
        self._outbox = self._make_outbox()
        self.notes: list[str] = []
        self.requests: list[str] = []
        self.sockets: list[JoinedSocket] = []
        self.spoil: Callable[[str], Iterable[str]] = lambda text: [text]
        """What becomes of each frame on its way to the client."""
        self.refuse: Callable[[HttpRequest], HttpResponse | None] = lambda _: None
        """An answer in place of the exchange's own."""
        self.rest_takes = STEP
        """Seconds until an answer over REST is there; more than ten, and there is none."""
        self.pacing: Pacing | None = None
        """The budget of requests, where one is to be kept to."""
        self._plan: list[tuple[float, Callable[..., object], tuple[Any, ...]]] = []
        self._down_until = 0.0
        self._mute = False
        self._nonce = 0
        self._nonce_unit = exchange.limits.nonce_unit
        self.skew_ns = 0
        since_ns = None if since is None else self.clock.now().wall_ns - round(since * 1e9)
        shown = {"exchange": name, "account": name, "channels": frozenset(self.channels)}
        ledger = Ledger(
            View(**shown, **(view or {})),  # type: ignore[arg-type]  # as named
            started=from_nanos(since_ns or self.client_clock.now().wall_ns),
        )
        outside = Outside(
            clock=self.client_clock,
            socket=self._socket,
            rest=self,
            nonce=self._next_nonce,
            backoff=Backoff(exchange.limits.connects, Random(seed)),
            outlet=self._outbox,
            note=self.notes.append,
            turns=None if budgets is None else budgets.connects(exchange),
            tokens=None if cache is None else self.tokens(cache),
        )
        self.supervisor = Supervisor(
            exchange,
            self.channels,
            ledger,
            outside,
            stop=self.stop,
            max_retries=max_retries,
            since_ns=since_ns,
            audit_every=audit_every,
        )

    def _make_outbox(self) -> "Outbox":
        return Outbox()

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

    def tokens(self, cache: Path) -> Tokens:
        """The tokens in that folder, as any process sees them."""
        file = TokenFile(cache, self.exchange.account, self.client_clock, self.stop)
        return Tokens(self.exchange, self, self.client_clock, file, up=self._up)

    def _up(self) -> Uptime:
        return Uptime("this boot", self.clock.now().monotonic)

    def _socket(self) -> JoinedSocket:
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
        """As the REST client, for somebody who waits."""
        job = self.start(flow, AT_ONCE, until=self.clock.now().monotonic + deadline)
        while not job.poll():
            self.pass_time(STEP)
            if idle is not None:
                idle()
            if self.stop.is_set():
                job.interrupt(Interrupted("stopped", cause="stopped"))
        return job.result()

    def start(
        self, flow: RestFlow[T], manner: Manner = AT_ONCE, *, until: float | None = None
    ) -> Job[T]:
        """As the REST client, beside other things."""
        return Job(flow, self, self.client_clock, manner=manner, until=until)

    def wait_for(self, call: Call, spare: float) -> float:
        return 0.0 if self.pacing is None else self.pacing.take(call.cost, self.clock.now(), spare)

    def send(self, call: Call, limit: float | None) -> "Asked":
        self.requests.append(call.name)
        return Asked(self, call, min(self.rest_takes, limit or ANSWER_LIMIT, ANSWER_LIMIT))

    def answered(self, call: Call) -> HttpResponse:
        """What the exchange says now; raises where it cannot be reached."""
        if self.is_down:
            raise Unreachable(f"{call.name}: cannot reach the exchange")
        with self._next_nonce() as nonce:
            request = call.build(Stamp(self.client_clock.now(), nonce))
            response = self.refuse(request) or self._answered(request)
        self.skew_ns = self.clock.now().wall_ns - self.client_clock.now().wall_ns
        return response

    def _answered(self, request: HttpRequest) -> HttpResponse:
        now = self.clock.now()
        self.faults.due(now)
        refusal = self.faults.refusal(now)
        if refusal is not None:
            return as_response(refusal, now)
        asked = as_request(request, getattr(self.exchange.account.endpoints, request.base))
        answer = self.faults.answered(asked, self.simulated.request(asked, now), now)
        if answer is None:
            raise Unreachable("the connection ended without an answer")
        return as_response(answer, self.clock.now())


class Asked:
    """A request on its way: asked now, heard of later."""

    def __init__(self, world: World, call: Call, takes: float) -> None:
        self._world = world
        self._call = call
        self._due = world.clock.now().monotonic + takes

    def is_over(self) -> bool:
        return self._world.clock.now().monotonic >= self._due

    def result(self) -> HttpResponse:
        if self._world.rest_takes > ANSWER_LIMIT:
            raise Unreachable(f"the exchange did not answer {self._call.name}")
        return self._world.answered(self._call)

    def abandon(self) -> None:
        """Its answer comes to nobody."""


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
        self.takes_frames = False

    def events(self, events: list[AnyEvent]) -> None:
        self.told += events

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Nobody asked for frames."""

    def whole(self, wall_ns: int) -> None:
        """Nothing is resumed."""

"""A day on which everything is slow: a reader that stalls, REST that lags, dawdles or is mute.

    run = HarshWorld("kraken", seed=3, lag=60.0).at(30, HarshWorld.stall, 45.0)

The one rule: nothing is kinder here than with real sockets. While the reader stalls nobody
reads the socket, what arrives waits there and ages, and a connection that is reset takes what
was not read with it. REST tells the account as it was some time ago: a second exchange of the
same seed answers, which lives the same life later.
"""

from collections.abc import Iterable
from random import Random
from typing import Any

from privstream.connection.rest.pacing import Pacing
from privstream.exchanges import find
from privstream.model.errors import Interrupted
from privstream.model.events import AnyEvent
from privstream.model.rest import Call, HttpResponse, Now, Stamp
from privstream.simulator import find as find_simulated
from tests.joined import RATE, Outbox, World
from tests.joined_socket import STEP, as_request, as_response

OF_THE_CONNECTION = frozenset({"GetWebSocketsToken", "generate_token"})
"""Calls whose answer the socket must know: they are answered by the exchange of now."""


class SlowReader(Outbox):
    """Takes nothing while it stalls."""

    def __init__(self, world: "HarshWorld") -> None:
        super().__init__()
        self._world = world
        self.stalls = 0.0

    def events(self, events: list[AnyEvent]) -> None:
        super().events(events)
        seconds, self.stalls = self.stalls, 0.0
        if seconds:
            self._world.nobody_reads(seconds)


class HarshWorld(World):
    """One exchange, one account, one client, and no kindness between them."""

    def __init__(
        self, name: str, *, seed: int = 1, lag: float = 0.0, budget: bool = False, **world: Any
    ) -> None:
        self._lag_ns = round(lag * 1e9)
        rate, simulated = world.get("rate", RATE), {"limits": False}
        super().__init__(name, seed=seed, **{**simulated, **world})
        self.past = find_simulated(name)(seed=seed, rate=rate, **simulated)
        self.stalls: list[tuple[int, int]] = []
        """From when to when nobody read, nanoseconds since the epoch."""
        if budget:
            self.pacing = Pacing(self.exchange.limits.rest_budget)

    def _make_outbox(self) -> Outbox:
        return SlowReader(self)

    # --- what goes wrong -------------------------------------------------------------------

    def stall(self, seconds: float) -> None:
        """The reader takes nothing for so long, from the next event on."""
        outbox = self._outbox
        assert isinstance(outbox, SlowReader)
        outbox.stalls = seconds

    def nobody_reads(self, seconds: float) -> None:
        """Time passes, and what comes waits in the socket."""
        since = self.clock.now().wall_ns
        until = self.clock.now().monotonic + seconds
        while self.clock.now().monotonic < until and not self.stop.is_set():
            self.pass_time(STEP)
            self.faults.due(self.clock.now())
            if self.sockets:
                self.sockets[-1].age()
        self.stalls.append((since, self.clock.now().wall_ns))

    def hang_up(self) -> None:
        """The exchange closes; what had arrived may still be read, and nothing comes any more."""
        self.sockets[-1].end = Interrupted("the exchange hung up")

    def reset(self) -> None:
        """The connection is reset: what had arrived and was not read is gone with it."""
        self.sockets[-1].forget()
        self.sockets[-1].end = Interrupted("the connection broke: reset")

    def dawdle(self, seconds: float) -> None:
        """REST takes so long for each answer from now on."""
        self.rest_takes = seconds

    # --- REST of some time ago -------------------------------------------------------------

    def answered(self, call: Call) -> HttpResponse:
        if not self._lag_ns or call.name in OF_THE_CONNECTION:
            return super().answered(call)
        now = self.clock.now()
        then = Now(now.wall_ns - self._lag_ns, now.monotonic)
        with self._next_nonce() as nonce:
            request = call.build(Stamp(then, nonce))
        asked = as_request(request, getattr(self.exchange.account.endpoints, request.base))
        return as_response(self.past.request(asked, then), now)


def harsh(name: str, seed: int, seconds: float = 300.0) -> HarshWorld:
    """A run with stalls, ends of connections, and a REST side that is no help, all by the seed."""
    random = Random(f"{seed}/{name}")
    run = HarshWorld(
        name,
        seed=seed,
        lag=random.choice([0.0, 0.9]) * find(name).limits.rest_lag,
        budget=random.random() < 0.5,
        audit_every=random.choice([0.0, 30.0]),
    )
    at = 20.0
    while at < seconds:
        for second, what, arguments in _mishap(random, at):
            run.at(second, what, *arguments)
        at += random.uniform(30.0, 70.0)
    # In the end it is kind again, so that what can be told is told.
    run.at(seconds, HarshWorld.dawdle, STEP)
    return run


def _mishap(random: Random, at: float) -> Iterable[tuple[float, Any, tuple[Any, ...]]]:
    """The reader stalls, and the connection ends meanwhile or soon after."""
    stall = random.choice([1.0, 10.0, 45.0, 120.0])
    end = random.choice([HarshWorld.hang_up, HarshWorld.reset])
    yield at, HarshWorld.dawdle, (random.choice([STEP, STEP, 3.0, 30.0]),)
    if random.random() < 0.8:
        yield at, HarshWorld.stall, (stall,)
    if random.random() < 0.8:
        yield at + random.uniform(0.2, stall + 5.0), end, ()

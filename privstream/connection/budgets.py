"""What an exchange allows one address or one key, counted together by all who share them.

The one rule: whoever waits has taken his turn already, so those who came first go first.
Times are those since the computer started: the one clock that all processes share.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from privstream.connection.byte_store import ByteStore, FileByteStore, MemoryByteStore
from privstream.connection.clock import Clock, Uptime, uptime
from privstream.connection.locks import LockFile
from privstream.connection.rest.pacing import Pacing
from privstream.exchanges.base import Exchange
from privstream.model.rest import Now

ARRIVES = 1.0
"""Seconds that one attempt may take longer than another from its turn to the exchange, which
counts when they arrive: of twenty accounts on a busy machine six came in 15 s, not five."""


class Budgets:
    """The budgets of all accounts of a process; with a folder, of all processes of this user."""

    def __init__(
        self, folder: Path | None, clock: Clock, up: Callable[[], Uptime] = uptime
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._up = up
        self._stores: dict[str, ByteStore] = {}

    def requests(self, exchange: Exchange) -> "SharedPacing":
        """The request budget of an account's key, or of our address where that is counted."""
        limits, account = exchange.limits, exchange.account
        host = urlsplit(account.endpoints.rest_url).netloc
        whose = "" if limits.rest_per_address else account.api_key.reveal()
        store = self._store("requests", exchange.name, host, whose)
        # Asked for anew each time: an exchange may learn what it allows this account.
        return SharedPacing(lambda: exchange.limits.rest_budget, store, self._up)

    def connects(self, exchange: Exchange) -> "Turns":
        """The connection attempts from our address."""
        host = urlsplit(exchange.account.endpoints.ws_url).netloc
        store = self._store("connects", exchange.name, host)
        return Turns(exchange.limits.connects, store, self._up)

    def _store(self, what: str, *whose: str) -> ByteStore:
        digest = hashlib.sha256("\n".join(whose).encode()).hexdigest()[:16]
        name = f"{what}-{digest}"
        if name not in self._stores:
            self._stores[name] = self._new(name)
        return self._stores[name]

    def _new(self, name: str) -> ByteStore:
        if self._folder is None:
            return MemoryByteStore()
        path = self._folder / name
        return FileByteStore(
            LockFile(
                path=path,
                clock=self._clock,
                what=f"a budget in {path}",
                hint="the state folder must be on a local disk and writable by you alone",
                busy="another privstream holds a budget's lock",
                busy_hint="wait for it to finish",
            )
        )


class _Spent(msgspec.Struct, array_like=True):
    """What is kept of a request budget."""

    boot: str
    level: float
    counted_at: float
    closed_until: float


class SharedPacing:
    """A request budget that several spend from."""

    def __init__(
        self,
        budget: Callable[[], tuple[float, float]],
        store: ByteStore,
        up: Callable[[], Uptime] = uptime,
    ) -> None:
        self._budget = budget
        self._store = store
        self._up = up

    def take(self, cost: float, now: Now, spare: float = 0.0) -> float:
        """Spend `cost` and return 0; or spend nothing and return the seconds to wait."""
        up = self._up()

        def spend(kept: bytes) -> tuple[bytes, float]:
            pacing = self._restored(kept, up)
            wait = pacing.take(cost, now._replace(monotonic=up.seconds), spare)
            return self._kept(pacing, up), wait

        return self._store.change(spend)

    def close(self, seconds: float, now: Now) -> None:
        """The exchange said "too many": nothing for so long, and no burst afterwards."""
        up = self._up()

        def shut(kept: bytes) -> tuple[bytes, None]:
            pacing = self._restored(kept, up)
            pacing.close(seconds, now._replace(monotonic=up.seconds))
            return self._kept(pacing, up), None

        self._store.change(shut)

    def _restored(self, kept: bytes, up: Uptime) -> Pacing:
        pacing = Pacing(self._budget())
        try:
            spent = msgspec.json.decode(kept, type=_Spent)
        except msgspec.MsgspecError:  # nothing yet, or torn
            return pacing
        if spent.boot == up.boot and spent.counted_at <= up.seconds:
            pacing.resume(spent.level, spent.counted_at, spent.closed_until)
        return pacing

    def _kept(self, pacing: Pacing, up: Uptime) -> bytes:
        return msgspec.json.encode(_Spent(up.boot, *pacing.state))


class _Taken(msgspec.Struct, array_like=True):
    """What is kept of the turns: when the latest are, some of them still to come."""

    boot: str
    turns: list[float]


class Turns:
    """So many connection attempts in so many seconds, in the order in which they were asked for."""

    def __init__(
        self, limit: tuple[int, float], store: ByteStore, up: Callable[[], Uptime] = uptime
    ) -> None:
        self.count, self.period = limit
        self._store = store
        self._up = up

    def take(self) -> float:
        """Take the next turn; returns the seconds until it comes."""
        up = self._up()

        def next_turn(kept: bytes) -> tuple[bytes, float]:
            turns = self._restored(kept, up)
            turn = up.seconds
            if len(turns) >= self.count:
                turn = max(turn, turns[-self.count] + self.period + ARRIVES)
            return self._kept([*turns, turn], up), turn - up.seconds

        return self._store.change(next_turn)

    def give_back(self) -> None:
        """Whoever waited does not connect after all: the last turn is another's."""
        up = self._up()
        self._store.change(lambda kept: (self._kept(self._restored(kept, up)[:-1], up), None))

    def _restored(self, kept: bytes, up: Uptime) -> list[float]:
        try:
            taken = msgspec.json.decode(kept, type=_Taken)
        except msgspec.MsgspecError:  # nothing yet, or torn
            return []
        return taken.turns if taken.boot == up.boot else []

    def _kept(self, turns: list[float], up: Uptime) -> bytes:
        # Those that wait are more than may come in one period.
        latest = [turn for turn in turns if turn > up.seconds - self.period - ARRIVES]
        return msgspec.json.encode(_Taken(up.boot, latest))

"""Accounts that come and go while what they tell is kept: the heart of `privstream run`.

The one rule: states, files and sinks are the main thread's alone. Whoever wants an account to come
or go says so from any thread, and it is done there.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeAlias

from msgspec import Struct

from privstream import exchanges
from privstream.app.assembly import Past, Wanted, add_account, shared_budgets
from privstream.app.environment import Environment
from privstream.delivery.printer import SEVERITY
from privstream.delivery.stream import Ended, EventBatch, Item, Stream, Turns, Whole
from privstream.model.account import Account
from privstream.model.errors import Exit, PrivstreamError
from privstream.model.events import AnyEvent, Status

PAUSE = 0.5
"""Seconds: how often the main thread looks around when nothing comes."""
Work: TypeAlias = Callable[[], None]


class Keeper(Protocol):
    """Where one account's events go, and what is remembered of it; the main thread's alone."""

    @property
    def state(self) -> Past:
        """What the runs before left of it."""

    def deliver(self, told: EventBatch, /) -> None:
        """Keep the events and what is remembered of them. Raises OutputFailed: the service ends."""

    def whole(self, word: Whole, /) -> None:
        """Nothing is missing until then."""

    def is_drained(self) -> bool:
        """Of an account that has left: nobody waits for anything of it any more."""

    def close(self) -> None:
        """Let go of the account."""


class Keeping(Protocol):
    """Makes the keepers."""

    def keep(self, account: Account, channels: tuple[str, ...], /) -> Keeper:
        """Of an account that comes. Raises ConfigError."""

    def has_room(self, seconds: float, /) -> bool:
        """Whether more may be taken, now or within so many seconds."""

    def look(self) -> None:
        """Now and then, also where nothing comes."""


class Observer(Protocol):
    """Sees what happens to the accounts, for whoever watches the service; never waits."""

    def began(self, account: str, exchange: str, /) -> None:
        """It is streamed from now on."""

    def take(self, account: str, events: Sequence[AnyEvent], /) -> None:
        """These came and are kept."""

    def ended(self, account: str, error: PrivstreamError | None, /) -> None:
        """It has left, or it could not go on: then `error` says why."""

    def look(self) -> None:
        """Now and then, also where nothing comes."""


class Streamed(Struct):
    """An account of the service."""

    keeper: Keeper
    is_over: bool = False
    """Its thread has ended; what it told may wait for somebody still."""


class Service:
    """Streams accounts until it is told to stop, or until all of them have ended by a fault."""

    def __init__(
        self,
        environment: Environment,
        keeping: Keeping,
        wanted: Wanted,
        *,
        observers: Sequence[Observer] = (),
        is_simulated: bool = False,
        lasts: bool = False,
    ) -> None:
        """`lasts`: it goes on where every account has ended, since others may come."""
        self._environment = environment
        self._keeping = keeping
        self._wanted = wanted
        self._observers = observers
        self._is_simulated = is_simulated
        self._lasts = lasts
        self._budgets = shared_budgets(environment, is_simulated=is_simulated)
        self._stream = Stream(lasts=True)
        self._work: deque[Work] = deque()
        self._streamed: dict[str, Streamed] = {}
        self._errors: dict[str, PrivstreamError] = {}
        """Of accounts that ended by a fault, and were not asked for again."""
        self._next: dict[str, Account] = {}
        """Accounts that come as soon as their former selves have left."""
        self._gone: dict[str, list[Work]] = {}
        """Whom to tell when an account has left."""
        self._due = 0.0

    # --- from any thread -------------------------------------------------------------------

    def add(self, account: Account) -> None:
        """Stream an account, in place of one of the same name if there is one."""
        self.do(partial(self._add, account))

    def remove(self, name: str, then: Work | None = None) -> None:
        """Stop an account; what it has told is kept before `then` is called, in the main thread."""
        self._stream.leave(name)  # at once: the main thread may wait for room
        self.do(partial(self._remove, name, then))

    def do(self, work: Work) -> None:
        """Have the main thread do it."""
        self._work.append(work)
        self._stream.wake()

    def last_heard(self, account: str) -> float | None:
        """When anything came from its exchange (monotonic)."""
        return self._stream.last_heard(account)

    def turns(self) -> Mapping[str, Turns]:
        """How far the accounts' threads are."""
        return self._stream.turns()

    # --- the main thread -------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The accounts that are streamed."""
        return [name for name, one in self._streamed.items() if not one.is_over]

    @property
    def failed(self) -> Mapping[str, PrivstreamError]:
        """The accounts that ended by a fault, and why."""
        return self._errors

    def run(self) -> Exit:
        """Stream until the end; returns the exit code."""
        stop = self._environment.stop
        stop.when_told(self._stream.wake)
        with self._closing():
            with self._stream:
                for item in self._stream.items(PAUSE):
                    self._look()
                    self._wait_for_room()
                    self._take(item)
                    if stop.is_told() or self._is_at_its_end():
                        break
            for item in self._stream.leftovers():
                self._take(item)
        return max(
            (error.exit for error in self._errors.values()), key=SEVERITY.index, default=Exit.DONE
        )

    @contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        finally:
            for one in self._streamed.values():
                one.keeper.close()

    def _is_at_its_end(self) -> bool:
        return not (self._lasts or self._work or self._next or self.names) and bool(self._errors)

    def _look(self) -> None:
        while self._work:
            self._work.popleft()()
        if (now := time.monotonic()) < self._due:
            return
        self._due = now + PAUSE
        for name in [name for name, one in self._streamed.items() if one.is_over]:
            if self._streamed[name].keeper.is_drained():
                self._close(name)
        self._keeping.look()
        for observer in self._observers:
            observer.look()

    def _wait_for_room(self) -> None:
        while not (self._keeping.has_room(PAUSE) or self._environment.stop.is_told()):
            self._look()

    def _take(self, item: Item | None) -> None:
        match item:
            case EventBatch():
                self._keep(item)
            case Whole():
                self._streamed[item.account].keeper.whole(item)
            case Ended():
                self._end(item)

    def _keep(self, told: EventBatch) -> None:
        for event in told.events:
            if isinstance(event, Status) and event.state != "stopped":
                self._environment.console.line.update(event)
        self._streamed[told.account].keeper.deliver(told)
        for observer in self._observers:
            observer.take(told.account, told.events)

    # --- coming and going ------------------------------------------------------------------

    def _add(self, account: Account) -> None:
        there = self._streamed.get(account.name)
        if there is not None and not there.is_over:
            self._next[account.name] = account
            self._stream.leave(account.name)
            return
        if there is not None:
            self._close(account.name)
        self._begin(account)

    def _begin(self, account: Account) -> None:
        name = account.name
        self._errors.pop(name, None)
        channels = exchanges.find(account.exchange)(account).select(())
        try:
            keeper = self._keeping.keep(account, channels)
        except PrivstreamError as problem:
            self._fail(name, problem.about(account.exchange, name))
            return
        self._streamed[name] = Streamed(keeper)
        try:
            add_account(
                self._environment,
                self._stream,
                account,
                channels,
                self._wanted,
                tap=self._environment.console.tap(None),
                state=keeper.state,
                is_simulated=self._is_simulated,
                budgets=self._budgets,
            )
        except PrivstreamError as problem:
            self._close(name)
            self._fail(name, problem.about(account.exchange, name))
            return
        for observer in self._observers:
            observer.began(name, account.exchange)

    def _remove(self, name: str, then: Work | None) -> None:
        self._next.pop(name, None)
        self._errors.pop(name, None)
        there = self._streamed.get(name)
        if there is None or there.is_over:
            for observer in self._observers:
                observer.ended(name, None)
            if then is not None:
                then()
            return
        if then is not None:
            self._gone.setdefault(name, []).append(then)
        self._stream.leave(name)  # it may have come after it was told to go

    def _end(self, ended: Ended) -> None:
        name, error = ended.account, ended.error
        if error is not None and not isinstance(error, PrivstreamError):
            raise error
        self._streamed[name].is_over = True
        if self._streamed[name].keeper.is_drained():
            self._close(name)
        if error is not None:
            self._fail(name, error)
        else:
            for observer in self._observers:
                observer.ended(name, None)
        for then in self._gone.pop(name, ()):
            then()
        if (account := self._next.pop(name, None)) is not None:
            self._add(account)

    def _fail(self, name: str, error: PrivstreamError) -> None:
        self._errors[name] = error
        self._environment.console.fail(error)
        for observer in self._observers:
            observer.ended(name, error)

    def _close(self, name: str) -> None:
        self._streamed.pop(name).keeper.close()

"""This host's turns: from the moment an account's lease is ours until another host may have it.

The one rule: an account begins here when our first word lies in the stream, and ends, its socket
closed, before its lease is given back. Runs in the hosts' own loop.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

from privstream.delivery.courier import DeadLetters
from privstream.delivery.ha.flow import Flow
from privstream.delivery.ha.lease import Terms
from privstream.delivery.ha.lease_keeper import LeaseKeeper
from privstream.delivery.ha.ports import Away, Bucket, Log
from privstream.delivery.ha.publisher import Fenced, Publisher
from privstream.delivery.stream import EventBatch
from privstream.model.account import Account
from privstream.model.errors import PrivstreamError
from privstream.model.events import Notice
from privstream.model.times import from_nanos

LEAVING = 0.8
"""Seconds at the end for what was told to get into the stream."""
GIVING_BACK = 0.5
"""Seconds for each step after that."""
AGAIN = 2.0
"""Seconds between two attempts to find the engine at the start."""


class Shared(Log, Bucket, Protocol):
    """The engine that the hosts share."""

    async def prepare(self) -> None:
        """See that it is as it must be. Raises ConfigError."""

    async def close(self) -> None:
        """Let go of it."""


class Streaming(Protocol):
    """What streams accounts; from any thread."""

    def add(self, account: Account, /) -> None:
        """Stream it."""

    def remove(self, name: str, /) -> None:
        """Close its socket at once."""

    def do(self, work: Callable[[], None], /) -> None:
        """Have the main thread do it."""


class HeldAccounts:
    """The accounts whose leases are ours."""

    def __init__(
        self,
        engine: Shared,
        prefix: str,
        me: str,
        terms: Terms,
        streaming: Streaming,
        *,
        letters: DeadLetters,
        room: Callable[[], None],
        now: Callable[[], float],
        say: Callable[[str], None],
        fail: Callable[[PrivstreamError], None],
    ) -> None:
        """`prefix`: of all subjects. `room` is called when a flow takes more again."""
        self._engine = engine
        self._prefix = prefix
        self._me = me
        self._streaming = streaming
        self._letters = letters
        self._room = room
        self._now = now
        self._say = say
        self._fail = fail
        self._accounts: dict[str, Account] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._work: list[asyncio.Task[None]] = []
        self.begun: dict[int, tuple[Account, Flow]] = {}
        """By the account's object, which is another one every time."""
        self.flows: dict[str, Flow] = {}
        self.takeovers: dict[str, int] = {}
        self.fenced: dict[str, float] = {}
        """When another host took an account away from us."""
        self.troubles: dict[str, str] = {}
        """By account: why the stream does not take what it tells."""
        self.missing: str | None = None
        """Why the engine was not found yet."""
        self.keeper = LeaseKeeper(engine, me, (), terms, self, now=now, say=say)

    # --- from beginning to end -------------------------------------------------------------

    async def begin(self) -> None:
        """Take part. Raises ConfigError where the engine is not as it must be."""
        try:
            await self._engine.prepare()
        except Away as problem:
            self.missing = str(problem)
            self._say(f"{problem}: it is tried again")
            self._start(self._begin_late())
        else:
            self._take_part()

    async def _begin_late(self) -> None:
        while self.missing is not None:
            await asyncio.sleep(AGAIN)
            try:
                await self._engine.prepare()
            except Away as problem:
                self.missing = str(problem)
            else:
                self.missing = None
        self._take_part()

    def _take_part(self) -> None:
        self._start(self.keeper.watch())
        self._start(self.keeper.run())

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._done)
        self._work.append(task)

    async def end(self) -> None:
        """Have what was told in the stream, and give everything back; bounded in time."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self.missing is None:
            await _within(GIVING_BACK, self.keeper.leave())
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LEAVING)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks, timeout=GIVING_BACK)
        await _within(GIVING_BACK, self._engine.close())

    def follow(self, accounts: Sequence[Account]) -> None:
        """These are the accounts that the hosts share from now on."""
        new = {account.name: account for account in accounts}
        for name in self._tasks:
            if new.get(name) != self._accounts.get(name):
                self._streaming.remove(name)  # it begins anew, here or elsewhere
        self._accounts = new
        self.keeper.follow(list(new))

    # --- the keeper tells ------------------------------------------------------------------

    def gained(self, account: str, epoch: int) -> None:
        turn = self._turn(self._accounts[account], epoch)
        task = asyncio.get_running_loop().create_task(turn)
        task.add_done_callback(self._done)
        task.add_done_callback(partial(self._forget, account))
        self._tasks[account] = task

    def lost(self, account: str, why: str) -> None:
        self._streaming.remove(account)
        self._say(f"{account}: this host streams it no more: {why}")
        if (task := self._tasks.get(account)) is not None:
            task.cancel()

    def _forget(self, account: str, task: "asyncio.Task[None]") -> None:
        if self._tasks.get(account) is task:
            del self._tasks[account]
            self.flows.pop(account, None)
            self.troubles.pop(account, None)

    def _done(self, task: "asyncio.Task[None]") -> None:
        """A bug ends the service, in the main thread; nothing is passed over."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._streaming.do(partial(_raise, error))

    def _hear_of_trouble(self, account: str, why: str | None) -> None:
        if why is None:
            self.troubles.pop(account, None)
            self._say(f"{account}: the stream takes its events again")
        else:
            self.troubles[account] = why
            self._say(f"{account}: the stream does not take its events now, they wait: {why}")

    # --- one turn --------------------------------------------------------------------------

    async def _turn(self, account: Account, epoch: int) -> None:
        name = account.name
        lease = self.keeper.leases[name]

        def is_ours() -> bool:
            return lease.epoch == epoch and lease.is_held(self._now())

        try:
            await self._stream(account, epoch, is_ours)
        except Fenced as problem:
            self._streaming.remove(name)
            if is_ours():  # else it was told already
                self.fenced[name] = self._now()
                self._say(f"{name}: this host streams it no more: {problem}")
        except PrivstreamError as problem:
            self._streaming.remove(name)
            self.keeper.bar(name)
            self._fail(problem.about(account.exchange, name))
        finally:
            if lease.epoch == epoch:
                await self.keeper.release(name)

    async def _stream(self, account: Account, epoch: int, is_ours: Callable[[], bool]) -> None:
        name = account.name
        subject = f"{self._prefix}.{account.exchange}.{name}"
        publisher = Publisher(
            self._engine,
            subject,
            may=is_ours,
            wall_ns=time.time_ns,
            trouble=partial(self._hear_of_trouble, name),
        )
        await publisher.open(self._me, epoch)
        if account != self._accounts.get(name):
            return  # the config was read again meanwhile
        account = replace(account)
        whose = (account.exchange, name)
        flow = Flow(publisher, *whose, letters=self._letters, room=self._room)
        if not publisher.memory.is_complete:
            flow.put(EventBatch(name, [_notice(account)], []))
        if not publisher.memory.is_new:
            self.takeovers[name] = self.takeovers.get(name, 0) + 1
        self.fenced.pop(name, None)
        self._say(f"{name}: this host streams it now (epoch {publisher.epoch})")
        self.flows[name] = flow
        self.begun[id(account)] = account, flow
        self._streaming.add(account)
        await flow.run()


async def _within(seconds: float, work: Coroutine[object, object, object]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)


def _raise(error: BaseException) -> None:
    raise error


def _notice(account: Account) -> Notice:
    text = (
        "the stream has thrown away words that this account needs: "
        "what was told before may be told again; give the stream more room or age"
    )
    now, whose = from_nanos(time.time_ns()), (account.exchange, account.name)
    return Notice(*whose, None, None, now, "stream", None, "error", "memory_lost", text)

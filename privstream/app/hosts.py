"""Several hosts that stream the same accounts by turns: this host's part, for `run --ha`.

The one rule: an account is streamed here only while its lease is ours, and what it tells goes into
the stream that all hosts share, and nowhere else. Leases and batches have a thread of their own.
"""

import asyncio
import platform
import re
import secrets
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from privstream.app.assembly import Past
from privstream.app.environment import Environment
from privstream.app.open_sink import NatsServers
from privstream.app.service_health import Reason
from privstream.connection.clock import uptime
from privstream.delivery.dead_letters import LetterFile
from privstream.delivery.ha.connection import Connection
from privstream.delivery.ha.engine import Engine, Names
from privstream.delivery.ha.flow import Flow
from privstream.delivery.ha.held_accounts import HeldAccounts, Streaming
from privstream.delivery.ha.lease import Terms
from privstream.delivery.stream import EventBatch, Whole
from privstream.model.account import Account
from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent
from privstream.settings.ha_section import HaSettings

T = TypeVar("T")
FENCED = 3.0
"""Lives of a lease for which it is told that another host took an account away."""


class Held(NamedTuple):
    """An account's lease, for whoever counts."""

    account: str
    held: bool
    epoch: int
    takeovers: int
    """How often this host went on where a run had stopped, here or elsewhere."""


class AccountKeeper:
    """What one account tells, on its way into the stream; the main thread's end of it."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    @property
    def state(self) -> Past:
        return self._flow.publisher.memory

    def deliver(self, told: EventBatch, /) -> None:
        self._flow.put(told)

    def whole(self, word: Whole, /) -> None:
        self._flow.put(word)

    def is_drained(self) -> bool:
        return self._flow.is_drained

    def close(self) -> None:
        self._flow.close()


class Hosts:
    """This host among all that share the work; the main thread's, if nothing else is said."""

    def __init__(
        self, environment: Environment, settings: HaSettings, servers: NatsServers
    ) -> None:
        self.settings = settings
        self._console = environment.console
        self._servers = servers
        self._letters = LetterFile(environment.state_folder() / "ha.dead.jsonl", "ha")
        self._room = threading.Condition()
        self._loop: asyncio.AbstractEventLoop
        self._held: HeldAccounts | None = None

    @contextmanager
    def running(self, streaming: Streaming) -> Iterator[None]:
        """Take part. Raises ConfigError where the engine is not as it must be."""
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            thread = threading.Thread(target=self._loop.run_forever, name="hosts", daemon=True)
            thread.start()
            try:
                held = self._held = self._wait_for(self._made(streaming))
                try:
                    self._wait_for(held.begin())
                    yield
                finally:
                    self._wait_for(held.end())
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                thread.join()

    def follow(self, accounts: Sequence[Account]) -> None:
        """These are the accounts that the hosts share from now on."""
        self._loop.call_soon_threadsafe(self._there.follow, list(accounts))

    async def _made(self, streaming: Streaming) -> HeldAccounts:
        servers, settings = self._servers, self.settings
        connection = Connection(
            servers.addresses, settings.where, access=servers.access, tls=servers.tls
        )
        names = Names(
            stream=settings.stream,
            prefix=servers.prefix,
            bucket=settings.bucket,
            replicas=settings.replicas,
        )
        return HeldAccounts(
            Engine(connection, names),
            servers.prefix,
            _host(),
            Terms(settings.ttl),
            streaming,
            letters=self._letters,
            room=self._has_changed,
            now=_now,
            say=self._console.say,
            fail=self._console.fail,
        )

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @property
    def _there(self) -> HeldAccounts:
        if self._held is None:
            raise RuntimeError("not running")
        return self._held

    # --- the service asks ------------------------------------------------------------------

    def keep(self, account: Account, _channels: tuple[str, ...], /) -> AccountKeeper:
        """Of an account that is ours now."""
        _, flow = self._there.begun.pop(id(account))
        return AccountKeeper(flow)

    def has_room(self, seconds: float, /) -> bool:
        """Whether more may be taken, now or within so many seconds."""
        with self._room:
            return self._room.wait_for(self._is_roomy, seconds)

    def _is_roomy(self) -> bool:
        return not any(flow.is_full for flow in list(self._there.flows.values()))

    def _has_changed(self) -> None:
        """In the hosts' thread."""
        with self._room:
            self._room.notify_all()

    def began(self, _account: str, _exchange: str, /) -> None:
        """Nothing is to be done."""

    def take(self, _account: str, _events: Sequence[AnyEvent], /) -> None:
        """They are on their way already."""

    def ended(self, account: str, error: PrivstreamError | None, /) -> None:
        """What cannot be streamed here is left to other hosts."""
        if error is not None:
            self._loop.call_soon_threadsafe(self._there.keeper.bar, account)

    def look(self) -> None:
        """Nothing is to be done."""

    # --- whoever watches asks --------------------------------------------------------------

    def reasons(self) -> list[Reason]:
        """Why this host is not well; empty where it is. From any thread."""
        if (held := self._held) is None:
            return []
        now = _now()
        away = held.missing or held.keeper.away
        found = [] if away is None else [Reason("away", f"the hosts cannot agree: {away}")]
        for name, why in held.troubles.copy().items():
            found.append(Reason("down", why, account=name))
        for name, at in list(held.fenced.items()):
            if now - at < FENCED * self.settings.ttl:
                found.append(Reason("fenced", "another host took it away", account=name))
        return found

    def leases(self) -> list[Held]:
        """Each account's. From any thread."""
        if (held := self._held) is None:
            return []
        now = _now()
        return [
            Held(name, lease.is_held(now), lease.epoch, held.takeovers.get(name, 0))
            for name, lease in list(held.keeper.leases.items())
        ]


def _now() -> float:
    """On a clock that nobody sets, and that goes on while the computer sleeps."""
    return uptime().seconds


def _host() -> str:
    """A name that no other run has, by which a person knows the computer."""
    name = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:32] or "host"
    return f"{name}-{secrets.token_hex(4)}"

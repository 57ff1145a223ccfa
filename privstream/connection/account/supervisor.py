"""Keeps one account connected: dial, log in, stream, wait, again.

The one rule: only what a retry cannot mend ends it. Runs in a thread of its own;
`stop` and the outlet are all it shares.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from privstream.connection.account.backoff import STABLE, Backoff
from privstream.connection.account.conversation import Conversation
from privstream.connection.account.dial import dialled
from privstream.connection.account.recovery import POLL, Recovery
from privstream.connection.account.statuses import Statuses
from privstream.connection.budgets import Turns
from privstream.connection.ports import AccountPorts, Outlet, RestClient, Socket, TokenSource
from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.account import Token
from privstream.model.errors import (
    Interrupted,
    Refused,
    TokenRefused,
    Unreachable,
)
from privstream.model.rest import Stamp
from privstream.model.session import TICK, Session

TOKEN_LIFE = 120.0
"""Seconds that a token should live when a connection is begun with it: dialling takes some."""
TOKEN_TRIES = 2
"""A fresh token, or a login of policy 1008, refused so often in a row is no accident."""
REFUSED_WAITS = (60.0, 120.0, 120.0)
"""Seconds until a key that this run has used is tried again after it was refused."""


@dataclass(frozen=True, kw_only=True)
class Outside(AccountPorts):
    """What connects a supervisor with the world; tests bring their own."""

    rest: RestClient
    backoff: Backoff
    outlet: Outlet
    around: Callable[[Session], Session] | None = None
    """Wraps the exchange's own session of every connection."""
    turns: Turns | None = None
    """Of connecting, shared by all that the exchange counts together."""
    tokens: TokenSource | None = None
    """Shared with other processes; without, every connection fetches a token of its own."""


class Supervisor:
    """One account's connection, kept."""

    def __init__(
        self,
        exchange: Exchange,
        channels: tuple[str, ...],
        ledger: Ledger,
        outside: Outside,
        *,
        stop: threading.Event,
        max_retries: int | None = None,
        since_ns: int | None = None,
        resume_from_ns: int | None = None,
        audit_every: float = 0.0,
    ) -> None:
        self.exchange = exchange
        self.stop = stop
        self._channels = channels
        self._ledger = ledger
        self._outside = outside
        self._max_retries = max_retries
        self._recovery = Recovery(
            exchange,
            channels,
            ledger,
            rest=outside.rest,
            clock=outside.clock,
            outlet=outside.outlet,
            stop=self.stop,
            since_ns=since_ns,
            resume_from_ns=resume_from_ns,
            audit_every=audit_every,
        )
        self._socket: Socket | None = None
        self._attempt = 0
        """Attempts in a row that did not get live, this one included."""
        self._token: Token | None = None
        """The last connection's."""
        self._token_is_fresh = True
        """It was fetched for this connection, or there is none."""
        self._token_refusals = 0
        self._refusals = 0
        """Of the key, in a row, after it had been good."""
        self._has_been_live = False
        self.last_heard: float | None = None
        """When anything came on a connection (monotonic); read by the main thread."""
        self.turns = 0
        """Steps of its loop; read by who looks whether the thread still turns."""
        self.rests_until = 0.0
        """Until then it waits on purpose (monotonic)."""
        self._statuses = Statuses(exchange, channels, outside.outlet, outside.clock)

    def abort(self) -> None:
        """End everything at once; called from the main thread."""
        self.stop.set()
        if (socket := self._socket) is not None:
            socket.abort()

    def run(self) -> None:
        """Stay connected until stopped. Raises what a retry cannot mend."""
        try:
            while not self.stop.is_set():
                self._try()
        finally:
            self._recovery.give_up()
        self._statuses.tell("stopped", attempt=self._attempt)

    def _try(self) -> None:
        """One connection, and the wait after it."""
        try:
            self._connect_and_stream()
        except Refused as problem:
            self._wait_after_refusal(problem)
        except Unreachable as problem:
            if self.stop.is_set():
                return
            if not problem.retryable:
                raise
            self._count_token_refusal(problem)
            self._wait_after(problem)

    # --- between connections ---------------------------------------------------------------

    def _wait_after_refusal(self, problem: Refused) -> None:
        """A key that was good may be refused for a while; what never was good is not tried again."""
        was_good = self._has_been_live and self._attempt > 0
        if not was_good or self._refusals >= len(REFUSED_WAITS):
            raise problem
        if self._max_retries is not None and self._attempt > self._max_retries:
            raise problem
        seconds = REFUSED_WAITS[self._refusals]
        self._refusals += 1
        self._outside.backoff.failed(self._outside.clock.now())
        self._retry_in(seconds, problem.message)

    def _count_token_refusal(self, problem: Unreachable) -> None:
        # A token of the cache may have died there: that says nothing of the key.
        self._token_refusals += isinstance(problem, TokenRefused) and self._token_is_fresh
        if self._token_refusals >= TOKEN_TRIES:
            raise Refused(
                f"{self.exchange.title} refuses every token it gives out: {problem.message}",
                "check the key's rights; if they are right, ask the exchange",
            ) from problem

    def _wait_after(self, problem: Unreachable) -> None:
        if self._max_retries is not None and self._attempt > self._max_retries:
            raise problem
        seconds = self._outside.backoff.failed(self._outside.clock.now(), problem.floor)
        self._retry_in(seconds, problem.message)

    def _retry_in(self, seconds: float, why: str) -> None:
        self._statuses.tell("retrying", why, attempt=self._attempt, retry_in=seconds)
        self._rest(seconds)

    def _rest(self, seconds: float) -> bool:
        """Wait; whether it was stopped meanwhile."""
        self.rests_until = self._outside.clock.now().monotonic + seconds
        return self._outside.clock.wait(seconds, self.stop)

    # --- one connection --------------------------------------------------------------------

    def _connect_and_stream(self) -> None:
        self._await_turn()
        self._attempt += 1
        self._statuses.tell("connecting", attempt=self._attempt)
        self._outside.backoff.attempted(self._outside.clock.now())
        token = self._token = self._next_token()
        with self._refusal_drops(token), ExitStack() as login:
            nonce = login.enter_context(self._outside.nonce()) if self.exchange.login_nonce else 0
            stamp = Stamp(self._outside.clock.now(), nonce)
            with self._dialled(token, stamp) as talk:
                self._log_in(talk, stamp)
                login.close()  # the key's lock was held until the exchange had answered
                self._stream(talk)

    def _await_turn(self) -> None:
        """Other accounts connect from the same address."""
        turns = self._outside.turns
        wait = 0.0 if turns is None else turns.take()
        if turns is None or not wait:
            return
        allowed = f"{turns.count} connections in {turns.period:.0f} s from one address"
        why = f"waiting for its turn: {self.exchange.title} allows {allowed}"
        self._statuses.tell("retrying", why, attempt=self._attempt, retry_in=wait)
        if self._rest(wait):
            turns.give_back()
            raise Interrupted("stopped", cause="stopped")

    def _next_token(self) -> Token | None:
        """One that no connection of ours has had: an old one may be dead without notice."""
        tokens = self._outside.tokens
        if tokens is None:
            token = self._outside.rest.run(self.exchange.fetch_token())
            renewed = token is not None
        else:
            token, (_, _, renewed) = tokens.get(TOKEN_LIFE, other_than=self._token)
        self._token_is_fresh = renewed or token is None
        if token is not None:
            self._outside.note("got a token" if renewed else "took a token from the cache")
        return token

    @contextmanager
    def _refusal_drops(self, token: Token | None) -> Iterator[None]:
        """What the exchange refuses with a token, nobody shall try with that token again."""
        try:
            yield
        except (TokenRefused, Refused):
            if token is not None and self._outside.tokens is not None:
                self._outside.tokens.refused(token)
            raise

    @contextmanager
    def _dialled(self, token: Token | None, stamp: Stamp) -> Iterator[Conversation]:
        outside = self._outside
        self._socket = outside.socket()
        session = self.exchange.session(token, self._channels)
        try:
            with dialled(
                self.exchange,
                outside.around(session) if outside.around else session,
                token,
                stamp,
                socket=self._socket,
                ledger=self._ledger,
                clock=outside.clock,
                outlet=self._recovery.merging,
                note=outside.note,
                tap=outside.tap,
                movements=self._recovery.merging.movements,
            ) as talk:
                try:
                    yield talk
                finally:
                    talk.release()  # what it listed is true, whatever became of it
        finally:
            self._socket = None

    def _log_in(self, talk: Conversation, stamp: Stamp) -> None:
        if self._has_been_live:
            self._ledger.reconnected()
        else:
            self._recovery.starts(stamp.now, attempts=self._attempt)
        if self._recovery.holds_lists:
            talk.hold_lists()
        talk.open(stamp)
        while not talk.is_ready:
            self._step(talk, TICK)

    def _stream(self, talk: Conversation) -> None:
        live_since = self._live()
        try:
            while True:
                self._step(talk, POLL if self._recovery.is_reading else talk.patience)
                self._recovery.step(talk)
                self._statuses.goes_on(self._recovery.progress)
        except Unreachable as problem:
            now = self._outside.clock.now()
            self._outside.backoff.lost(now)
            if now.monotonic - live_since >= STABLE:
                self._token_refusals = 0
            talk.release()
            self._recovery.lost(problem, talk.delivered)
            raise

    def _live(self) -> float:
        """Login and subscriptions were acknowledged; returns when, on the monotonic clock."""
        now = self._outside.clock.now()
        self._recovery.connected(attempts=self._attempt)
        self._attempt = self._refusals = 0
        self._has_been_live = True
        self._outside.backoff.live(now)
        self._statuses.live(self._recovery.progress)
        return now.monotonic

    def _step(self, talk: Conversation, timeout: float) -> None:
        if self.stop.is_set():
            raise Interrupted("stopped", cause="stopped")
        self.turns += 1
        try:
            talk.step(timeout)
        finally:
            self.last_heard = talk.last_heard or self.last_heard

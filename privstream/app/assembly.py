"""Puts an account's parts together: exchange, ledger, socket, REST, supervisor."""

import random
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec

from privstream.app.environment import Environment
from privstream.app.symbols import all_names, common_names
from privstream.connection.account.backoff import Backoff
from privstream.connection.account.one_order import OneOrder
from privstream.connection.account.supervisor import Outside, Supervisor
from privstream.connection.account_client import AccountClient
from privstream.connection.budgets import Budgets
from privstream.connection.clock import Clock, SystemClock
from privstream.connection.ports import RestRunner
from privstream.connection.rest.client import Rest
from privstream.connection.rest.nonces import Nonces, NoncesInMemory
from privstream.connection.socket.websocket import Socket
from privstream.connection.tokens.cache import FETCH_LIMIT, Tokens
from privstream.connection.tokens.file import TokenFile
from privstream.delivery.stream import Stream
from privstream.exchanges import find
from privstream.exchanges.base import Exchange
from privstream.memory.event_maker import View
from privstream.memory.journal import Journal
from privstream.memory.ledger import Ledger
from privstream.model.account import Account
from privstream.model.errors import ConfigError
from privstream.model.session import Session, Tap
from privstream.model.times import from_nanos
from privstream.outputs.console import Console
from privstream.settings.config import Config

if TYPE_CHECKING:  # start-up time
    from privstream.delivery.resume_file import State


@dataclass(frozen=True)
class Wanted:
    """What the user wants to see of each account."""

    symbols: tuple[str, ...] = ()
    """As they were typed."""
    snapshot: bool = True
    raw_elements: bool = False
    raw_frames: bool = False
    max_retries: int | None = None
    since_ns: int | None = None
    audit_every: float = 0.0
    order_id: str | None = None
    """An order to look at again and again."""


class Past(Protocol):
    """What is known of an account from before."""

    @property
    def resumes(self) -> bool:
        """It is what to go on from."""

    @property
    def is_new(self) -> bool:
        """There was nothing before."""

    @property
    def resume_from_ns(self) -> int | None:
        """The last moment known whole."""

    def notes(self) -> Generator[tuple[str, str, bytes], None, None]:
        """Kind, key and value of all that is remembered, oldest first."""

    def damaged(self, why: str) -> ConfigError:
        """What to raise where a note makes no sense."""


def shared_budgets(environment: Environment, *, is_simulated: bool = False) -> Budgets:
    """What the accounts of one stream share; with real exchanges, all processes of this user."""
    return Budgets(None if is_simulated else environment.state_folder(), SystemClock())


def add_account(
    environment: Environment,
    stream: Stream,
    account: Account,
    channels: tuple[str, ...],
    wanted: Wanted,
    *,
    tap: Tap | None = None,
    state: Past | None = None,
    is_simulated: bool = False,
    budgets: Budgets | None = None,
) -> None:
    """Take an account into the stream; it connects when the stream is entered.

    With a state it goes on where that one ends. A simulated one shares nothing with other
    processes, and leaves nothing on the disk. `budgets` are those of all accounts of the stream.
    """
    exchange = find(account.exchange)(account)
    clock = SystemClock()
    budgets = budgets or shared_budgets(environment, is_simulated=is_simulated)
    stop = threading.Event()
    limits = exchange.limits
    nonces = _nonces(environment, account, limits.nonce_unit, stop, is_simulated=is_simulated)
    view = View(
        exchange=exchange.name,
        account=account.name,
        channels=frozenset(channels),
        symbols=all_names(type(exchange), wanted.symbols),
        snapshot=wanted.snapshot,
        raw=wanted.raw_elements,
    )
    journal = None if state is None else Journal()
    outlet = stream.outlet(raw=wanted.raw_frames, account=account.name, journal=journal)
    started = from_nanos(wanted.since_ns or clock.now().wall_ns)
    ledger = Ledger(view, started, journal, rest_lag=limits.rest_lag)
    resume_from_ns = _restore(ledger, state) if state is not None and state.resumes else None

    def tell(text: str) -> None:
        environment.console.note(f"{account.name}: {text}")

    pacing = budgets.requests(exchange)
    rest = Rest(account.endpoints, nonces, pacing, clock, stop, note=tell)

    outside = Outside(
        clock=clock,
        socket=Socket,
        rest=rest,
        nonce=lambda: nonces.next(clock.now()),
        backoff=Backoff(limits.connects, random.Random()),  # noqa: S311 - jitter is no secret
        outlet=outlet,
        note=tell,
        tap=tap,
        turns=budgets.connects(exchange),
        tokens=None
        if is_simulated
        else tokens_for(environment, exchange, rest, clock, stop, note=tell),
        around=_watching_over(wanted.order_id, exchange, ledger),
    )
    supervisor = Supervisor(
        exchange,
        channels,
        ledger,
        outside,
        stop=stop,
        max_retries=wanted.max_retries,
        since_ns=wanted.since_ns,
        resume_from_ns=resume_from_ns,
        audit_every=wanted.audit_every,
    )
    stream.add(supervisor, outlet)


def _nonces(
    environment: Environment,
    account: Account,
    unit: int,
    stop: threading.Event,
    *,
    is_simulated: bool,
) -> Nonces | NoncesInMemory:
    if is_simulated:
        return NoncesInMemory(unit)
    return Nonces(environment.state_folder(), account.api_key, unit, SystemClock(), stop)


def _watching_over(
    order_id: str | None, exchange: Exchange, ledger: Ledger
) -> Callable[[Session], Session] | None:
    return None if order_id is None else OneOrder(exchange, ledger, order_id).around


def _restore(ledger: Ledger, state: Past) -> int | None:
    """Know what the runs before told; returns from when on the rest must be read back, if at all."""
    if state.is_new:
        return None
    if state.resume_from_ns is not None:
        # Before the first notes of the first run there is only the moment when it began.
        ledger.resume_from(from_nanos(state.resume_from_ns))
    try:
        with closing(state.notes()) as notes:
            ledger.restore(notes)
    except (msgspec.MsgspecError, ValueError) as problem:  # of times and texts too
        raise state.damaged(str(problem)) from problem
    return state.resume_from_ns


def open_state(
    environment: Environment,
    account: Account,
    channels: tuple[str, ...],
    wanted: Wanted,
    *,
    simulated: str = "",
    resumes: bool = True,
    sinks: Sequence[str] = (),
) -> "State":
    """What the runs before left of this account, for a next run and for sinks; held until closed."""
    from privstream.delivery.resume_file import State, StateOwner, state_path  # noqa: PLC0415 - only with --resume

    path = state_path(environment.state_folder(), account.name, simulated=simulated)
    host = urlsplit(account.endpoints.rest_url).hostname or ""
    symbols = common_names(find(account.exchange), wanted.symbols)
    owner = StateOwner(account.exchange, account.name, host, channels, symbols)
    state = State(path, owner, SystemClock().now().wall_ns, resumes=resumes, sinks=sinks)
    if state.was_emptied:
        lost = "what happened since a run before is not told"
        environment.console.say(f"the state file {path} was empty: it begins anew, and {lost}")
    return state


def client_for(
    environment: Environment, account: Account, *, is_simulated: bool = False
) -> AccountClient:
    """A client of the real place: sockets, REST, the key's own nonce counter.

    A simulated one shares nothing with other processes, and leaves nothing on the disk.
    """
    exchange = find(account.exchange)(account)
    told, console = environment.stop, environment.console
    clock, stop, limits = SystemClock(), threading.Event(), exchange.limits
    told.when_told(stop.set)
    budgets = shared_budgets(environment, is_simulated=is_simulated)
    nonces = _nonces(environment, account, limits.nonce_unit, stop, is_simulated=is_simulated)

    def socket() -> Socket:
        dialled = Socket()
        told.when_told(dialled.abort)
        return dialled

    def note(text: str) -> None:
        console.note(f"{account.name}: {text}")

    return AccountClient(
        exchange=exchange,
        clock=clock,
        rest=Rest(account.endpoints, nonces, budgets.requests(exchange), clock, stop, note=note),
        socket=socket,
        nonce=lambda: nonces.next(clock.now()),
        stop=stop,
        check=told.check,
        note=note,
        tap=console.tap(None),
    )


def tokens_for(
    environment: Environment,
    exchange: Exchange,
    rest: RestRunner,
    clock: Clock,
    stop: threading.Event,
    *,
    note: Callable[[str], None] | None = None,
    limit: float = FETCH_LIMIT,
) -> Tokens | None:
    """The account's tokens, shared with every process of this user; `None` where it has none.

    With `note` it goes on where they cannot be kept, and that is noted.
    """
    if not exchange.has_token():
        return None
    file = TokenFile(environment.cache_folder(), exchange.account, clock, stop)
    return Tokens(exchange, rest, clock, file, note=note, limit=limit)


def name_overrides(console: Console, config: Config, *accounts: Account) -> None:
    """Say so where it is not the exchange itself that is asked."""
    for exchange in dict.fromkeys(account.exchange for account in accounts):
        for key, url in config.overridden(exchange).items():
            console.say(f"{exchange}: {key} from {config.path}: {url}")

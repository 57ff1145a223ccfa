"""Puts an account's parts together: exchange, ledger, socket, REST, supervisor."""

import os
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from privstream.connection.backoff import Backoff
from privstream.connection.clock import SystemClock
from privstream.connection.conversation import Tap
from privstream.connection.nonces import Nonces
from privstream.connection.pacing import Pacing
from privstream.connection.rest import Rest
from privstream.connection.supervisor import Outside, Supervisor
from privstream.connection.websocket import Socket
from privstream.exchanges import find
from privstream.ledger import Ledger, View
from privstream.private_files import state_dir
from privstream.stream import Stream
from privstream.times import from_nanos
from privstream.wire import Account


@dataclass(frozen=True)
class Wanted:
    """What the user wants to see of each account."""

    symbols: frozenset[str] = frozenset()
    snapshot: bool = True
    raw_elements: bool = False
    raw_frames: bool = False
    max_retries: int | None = None


def _unsaid(_text: str) -> None:
    pass


def add_account(
    stream: Stream,
    account: Account,
    channels: tuple[str, ...],
    wanted: Wanted,
    *,
    note: Callable[[str], None] = _unsaid,
    tap: Tap | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Take an account into the stream; it connects when the stream is entered."""
    exchange = find(account.exchange)(account)
    clock = SystemClock()
    outlet = stream.outlet(raw=wanted.raw_frames)
    stop = threading.Event()
    limits = exchange.limits
    nonces = Nonces(state_dir(environ), account.api_key, limits.nonce_unit, clock, stop)
    view = View(
        exchange=exchange.name,
        account=account.name,
        channels=frozenset(channels),
        symbols=wanted.symbols,
        snapshot=wanted.snapshot,
        raw=wanted.raw_elements,
    )
    ledger = Ledger(view, started=from_nanos(clock.now().wall_ns))
    outside = Outside(
        clock=clock,
        socket=Socket,
        rest=Rest(account.endpoints, nonces, Pacing(limits.rest_budget), clock, stop),
        nonce=lambda: nonces.next(clock.now()),
        backoff=Backoff(limits.connects, random.Random()),  # noqa: S311 - jitter is no secret
        outlet=outlet,
        note=lambda text: note(f"{account.name}: {text}"),
        tap=tap,
    )
    supervisor = Supervisor(
        exchange, channels, ledger, outside, stop=stop, max_retries=wanted.max_retries
    )
    stream.add(supervisor, outlet)

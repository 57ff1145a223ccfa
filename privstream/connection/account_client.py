"""One account's way out, for a command that asks something and ends.

The one rule: every wait is bounded, and nothing is tried again behind the user's back.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from privstream.connection.account.conversation import Conversation
from privstream.connection.account.dial import dialled
from privstream.connection.ports import AccountPorts, Outlet, RestClient
from privstream.exchanges.base import Exchange
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Token
from privstream.model.events import AnyEvent
from privstream.model.rest import RestFlow, Stamp
from privstream.model.session import TICK, Session
from privstream.model.times import from_nanos

T = TypeVar("T")
ASK_LIMIT = 30.0
"""Seconds for one flow of REST calls, its waits for budget and nonce included."""


class Heard:
    """Keeps the events that a connection told."""

    takes_frames = False

    def __init__(self) -> None:
        self.told: list[AnyEvent] = []

    def events(self, events: list[AnyEvent]) -> None:
        self.told += events

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Frames are nobody's concern here."""

    def whole(self, wall_ns: int) -> None:
        """Nothing is resumed after a command that ends."""


def _go_on() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class AccountClient(AccountPorts):
    """What a short command needs of the world; tests bring their own."""

    exchange: Exchange
    rest: RestClient
    stop: threading.Event = field(default_factory=threading.Event)
    check: Callable[[], None] = _go_on
    """Raises where the command was told to stop; called wherever something takes its time."""

    def ask(self, flow: RestFlow[T], *, deadline: float = ASK_LIMIT) -> T:
        """Run a flow of REST calls to its result. Raises Refused and Unreachable."""
        self.check()
        return self.rest.run(flow, idle=self.check, deadline=deadline)

    def ledger(self, channels: tuple[str, ...]) -> Ledger:
        """A fresh memory, which counts fills from now on."""
        account = self.exchange.account
        view = View(exchange=self.exchange.name, account=account.name, channels=frozenset(channels))
        return Ledger(view, from_nanos(self.clock.now().wall_ns))

    @contextmanager
    def logged_in(
        self,
        channels: tuple[str, ...],
        token: Token | None,
        *,
        session: Session | None = None,
        ledger: Ledger | None = None,
        outlet: Outlet | None = None,
    ) -> Iterator[Conversation]:
        """A connection on which login and every subscription were acknowledged.

        `session` is the exchange's own for these channels where none is given.
        """
        with ExitStack() as login:
            nonce = login.enter_context(self.nonce()) if self.exchange.login_nonce else 0
            stamp = Stamp(self.clock.now(), nonce)
            with dialled(
                self.exchange,
                session or self.exchange.session(token, channels),
                token,
                stamp,
                socket=self.socket(),
                ledger=ledger or self.ledger(channels),
                clock=self.clock,
                outlet=outlet or Heard(),
                note=self.note,
                tap=self.tap,
            ) as talk:
                talk.open(stamp)
                while not talk.is_ready:
                    self.check()
                    talk.step(TICK)
                login.close()  # the key's lock was held until the exchange had answered
                yield talk

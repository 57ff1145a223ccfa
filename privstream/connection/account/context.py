"""What everything needs that reads over REST beside one account's stream."""

from dataclasses import dataclass
from typing import TypeVar

from privstream.connection.account.exchange_time import ExchangeTime
from privstream.connection.account.held_orders import HeldOrders
from privstream.connection.account.merging import Merging
from privstream.connection.clock import Clock
from privstream.connection.ports import RestClient
from privstream.connection.rest.job import PATIENT, Job, Manner
from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.reports import Known
from privstream.model.rest import RestFlow

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Context:
    """One account, its memory, and its ways in and out."""

    exchange: Exchange
    channels: tuple[str, ...]
    ledger: Ledger
    rest: RestClient
    clock: Clock
    times: ExchangeTime
    merging: Merging
    held: HeldOrders

    @property
    def now(self) -> float:
        """Seconds on the clock of all deadlines."""
        return self.clock.now().monotonic

    @property
    def rest_lag(self) -> float:
        return self.exchange.limits.rest_lag

    def known(self, since_ns: int) -> Known:
        """What is known at this moment to whoever reads back from that one."""
        return Known(
            since_ns=since_ns,
            until_ns=self.times.now(),
            channels=self.channels,
            open_orders=self.ledger.open_orders,
            suspects=self.ledger.suspects,
            symbols=frozenset(self.ledger.symbols),
            placed_since_ns=self.held.placed_since(since_ns),
        )

    def start(self, flow: RestFlow[T], manner: Manner = PATIENT) -> Job[T]:
        """Read something beside the stream."""
        return self.rest.start(flow, manner)

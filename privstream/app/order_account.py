"""One account's order entry, as a command speaks of it and prints it.

The one rule: who is broken off, or told to stop, says what was sent.
"""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self, TypeVar
from uuid import uuid4

from msgspec import structs

from privstream.app.assembly import client_for, tokens_for
from privstream.app.environment import Environment
from privstream.connection.orders.broker import LOOK_LIMIT, Broker
from privstream.model.account import Account
from privstream.model.errors import (
    ConfigError,
    FateUnknown,
    Interrupted,
    PrivstreamError,
    Unreachable,
    UsageError,
)
from privstream.model.events import Notice, Order
from privstream.model.order_entry import MarketView, OrderEntry, Ticket
from privstream.outputs.base import NotTaken, Output, ReaderGone
from privstream.outputs.console import Format
from privstream.settings.config import Config, load

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class OrderRequest:
    """What every one of the commands is told."""

    exchange: str
    options: Mapping[str, str] = field(default_factory=dict)
    """The exchange's own settings."""
    account: str | None = None
    format: Format | None = None
    json: bool = False
    raw: bool = False


class OrderAccount:
    """One account's order entry, with a console and an output."""

    max_order: Mapping[str, str]
    """By quote currency: what an order may come to at most."""

    def __init__(
        self,
        environment: Environment,
        request: OrderRequest,
        *,
        changes: bool = False,
        asks: bool = False,
    ) -> None:
        if request.format is Format.RAW:
            raise UsageError(
                "orders are printed as events, --format raw prints frames",
                "use --raw to have the exchange's own element in each event",
            )
        self._request = request
        self.environment = environment
        self.console = environment.console
        self._config = load(environment.variables)
        self.account = self._resolved(changes=changes, asks=asks)
        client = client_for(environment, self.account)
        self.title = client.exchange.title
        self.entry = _entry_of(client.exchange.order_entry, self.title)
        tokens = tokens_for(
            environment, client.exchange, client.rest, client.clock, client.stop, note=client.note
        )
        self.broker = Broker(client, self.entry, tokens=tokens, raw=request.raw, say=self.say)
        self._output: Output | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        if isinstance(problem, PrivstreamError):
            problem.about(self.account.exchange, self.account.name)

    def _resolved(self, *, changes: bool, asks: bool) -> Account:
        request = self._request
        name = self._config.chosen(request.account, request.exchange)
        settings = self._config.settings(name, exchange=request.exchange)
        if changes and settings.read_only:
            raise _read_only(self._config, name).about(request.exchange, name)
        if asks and not self.environment.person.is_there():
            why = "there is no terminal to ask on, so nothing was sent"
            raise UsageError(why, "--yes goes on without asking").about(request.exchange, name)
        self.max_order = settings.max_order
        return self._config.account(name, exchange=request.exchange, options=request.options)

    def ready(self, ticket: Ticket) -> Ticket:
        """The ticket as it can be sent, with a client id of its own."""
        if ticket.client_order_id is None and self.entry.makes_client_id(ticket):
            ticket = _with_id(ticket)
        return self.broker.prepared(ticket)

    def look_at_market(self, ticket: Ticket) -> MarketView:
        """The last price and the free funds; unknown where the exchange cannot be asked now."""
        try:
            return self.broker.client.ask(self.entry.market(ticket), deadline=LOOK_LIMIT)
        except Unreachable as problem:
            self.console.note(f"look at the market: {problem.message}")
            return MarketView()

    def symbol_of(self, ticket: Ticket) -> str:
        """The pair in common names, by which limits are named."""
        return type(self.broker.client.exchange).symbol_of(ticket.symbol) or ticket.symbol

    def show(self, what: str = "", *, asks: bool = False) -> None:
        """Where it goes and what will be done; what is asked about is shown also when quiet."""
        for key, url in self._config.overridden(self._request.exchange).items():
            where = f"{self._request.exchange}: {key} from {self._config.path}: {url}"
            self.console.say(where, also_when_quiet=asks)
        if what:
            self.console.say(what, also_when_quiet=asks)

    def say(self, text: str) -> None:
        """One sentence about this account."""
        self.console.say(f"{self.account.name}: {text}")

    def fail(self, error: PrivstreamError) -> None:
        self.console.fail(error.about(self.account.exchange, self.account.name))

    def output(self) -> Output | None:
        """Where orders are printed, if stdout leads anywhere."""
        if self._output is None:
            kind = self.environment.format(self._request.format, json=self._request.json)
            self._output = self.environment.output(kind, [self.account.name])
        return self._output

    def print(self, events: Sequence[Order | Notice]) -> None:
        """Print them. Raises ReaderGone and NotTaken where nobody learns of them."""
        output = self.output()
        if output is not None:
            output.write(events)

    def watched(self, run: Callable[[], T], doubt: Callable[[], FateUnknown | None]) -> T:
        """Run what changes the account; what breaks it off does not leave it unsaid."""
        with self.heard_out(doubt):
            return run()

    @contextmanager
    def heard_out(self, doubt: Callable[[], FateUnknown | None]) -> Iterator[None]:
        """Whatever breaks the block off, what was sent in it is said."""
        stop = self.environment.stop
        before, stop.last_words = stop.last_words, lambda: self._say_last(doubt())
        try:
            yield
        except PrivstreamError as end:
            if stop.is_told() and not isinstance(end, FateUnknown):
                self._conclude(doubt(), end)
            raise
        except BaseException as end:
            self._conclude(doubt(), end)
            raise
        finally:
            stop.last_words = before

    def _conclude(self, doubt: FateUnknown | None, end: BaseException) -> None:
        """Raise what is to be said, or say it. A stop that did not get done is no success."""
        if doubt is not None and isinstance(end, ReaderGone | NotTaken):
            raise doubt from end
        if self.environment.stop.by not in {None, signal.SIGINT}:
            raise doubt or Interrupted("told to stop, and nothing was done") from end
        self._say_last(doubt)

    def _say_last(self, doubt: FateUnknown | None) -> None:
        if doubt is not None:
            self.fail(doubt)
        else:
            self.say("broken off, and nothing was done")

    @property
    def raw(self) -> bool:
        return self._request.raw


def _entry_of(entry: OrderEntry | None, title: str) -> OrderEntry:
    if entry is None:
        raise UsageError(f"{title} has no order entry on its private stream")
    return entry


def _read_only(config: Config, name: str) -> ConfigError:
    return ConfigError(
        f"account {name!r} is only for watching: [accounts.{name}] has read_only = true "
        f"in {config.path}",
        "use another account, or take that line out",
    )


def _with_id(ticket: Ticket) -> Ticket:
    return structs.replace(ticket, client_order_id=str(uuid4()))

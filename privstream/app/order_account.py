"""One account's order entry, as a command speaks of it and prints it.

The one rule: who is broken off, or told to stop, says what was sent.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar
from uuid import uuid4

from msgspec import structs

from privstream.app import asking
from privstream.app.assembly import errand_for, tokens_for
from privstream.connection.orders.broker import Broker
from privstream.delivery.printer import chosen_format, open_output
from privstream.delivery.signals import Terminated
from privstream.model.account import Account
from privstream.model.errors import (
    ConfigError,
    FateUnknown,
    Interrupted,
    PrivstreamError,
    UsageError,
)
from privstream.model.events import Notice, Order
from privstream.model.order_entry import OrderEntry, Ticket
from privstream.outputs.base import Output, ReaderGone
from privstream.outputs.console import Format, Voice
from privstream.outputs.descriptor import discard_stdout
from privstream.settings.config import Config, load

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What every one of the commands is told."""

    exchange: str
    options: Mapping[str, str] = field(default_factory=dict)
    """The exchange's own settings."""
    account: str | None = None
    format: Format | None = None
    json: bool = False
    raw: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    no_color: bool = False


class OrderAccount:
    """One account's order entry, with a voice and an output."""

    def __init__(self, wish: Wish, *, changes: bool = False, asks: bool = False) -> None:
        if wish.format is Format.RAW:
            raise UsageError(
                "orders are printed as events, --format raw prints frames",
                "use --raw to have the exchange's own element in each event",
            )
        self._wish = wish
        self.voice = Voice(
            quiet=wish.quiet,
            verbose=wish.verbose or wish.debug,
            debug=wish.debug,
            as_json=wish.json or wish.format is Format.JSONL,
            no_color=wish.no_color,
        )
        self._config = load(os.environ)
        self.account = self._resolved(changes=changes, asks=asks)
        errand = errand_for(self.account, note=self.voice.note, tap=self.voice.tap(None))
        self.title = errand.exchange.title
        self.entry = _entry_of(errand.exchange.order_entry, self.title)
        tokens = tokens_for(
            errand.exchange, errand.rest, errand.clock, errand.stop, note=self.voice.note
        )
        self.broker = Broker(errand, self.entry, tokens=tokens, raw=wish.raw, say=self._say)
        self._output: Output | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        if isinstance(problem, PrivstreamError):
            problem.about(self.account.exchange, self.account.name)

    def _resolved(self, *, changes: bool, asks: bool) -> Account:
        wish = self._wish
        name = wish.account or wish.exchange
        settings = self._config.settings(name, exchange=wish.exchange)
        if changes and settings.read_only:
            raise _read_only(self._config, name).about(wish.exchange, name)
        if asks and not asking.somebody_there():
            why = "there is no terminal to ask on, so nothing was sent"
            raise UsageError(why, "--yes goes on without asking").about(wish.exchange, name)
        return self._config.account(name, exchange=wish.exchange, options=wish.options)

    def ready(self, ticket: Ticket) -> Ticket:
        """The ticket as it can be sent, with a client id of its own."""
        if ticket.client_order_id is None and self.entry.makes_client_id(ticket):
            ticket = _with_id(ticket)
        return self.broker.prepared(ticket)

    def show(self, what: str = "", *, asks: bool = False) -> None:
        """Where it goes and what will be done; what is asked about is shown also when quiet."""
        for key, url in self._config.overridden(self._wish.exchange).items():
            self._tell(f"{self._wish.exchange}: {key} from {self._config.path}: {url}", asks)
        if what:
            self._tell(what, asks)

    def _tell(self, text: str, also_when_quiet: bool) -> None:  # noqa: FBT001 - two callers above
        line = Voice(no_color=True).line if also_when_quiet else self.voice.line
        line.say(text)

    def _say(self, text: str) -> None:
        self.voice.line.say(f"{self.account.name}: {text}")

    def fail(self, error: PrivstreamError) -> None:
        self.voice.fail(error.about(self.account.exchange, self.account.name))

    def output(self) -> Output:
        """Where orders are printed."""
        if self._output is None:
            kind = chosen_format(self._wish.format, json=self._wish.json)
            found = open_output(kind, [self.account.name], no_color=self._wish.no_color)
            if found is None:
                raise AssertionError("frames were refused before")
            self._output = found
        return self._output

    def print(self, events: Sequence[Order | Notice]) -> None:
        """Print; that nobody reads is no reason not to conclude."""
        try:
            self.output().write(events)
        except ReaderGone:
            discard_stdout()

    def watched(self, run: Callable[[], T], doubt: Callable[[], FateUnknown | None]) -> T:
        """Run what changes the account; what breaks it off does not leave it unsaid."""
        try:
            return run()
        except PrivstreamError:
            raise
        except BaseException as end:
            self.last_words(doubt(), end)
            raise

    def last_words(self, doubt: FateUnknown | None, end: BaseException) -> None:
        """What is to be said by who is broken off. A stop that did not get done is no success."""
        if isinstance(end, Terminated):
            unsent = Interrupted("told to stop, and nothing was done")
            raise doubt or unsent from end
        if doubt is not None:
            self.fail(doubt)
        else:
            self._say("broken off, and nothing was done")

    @property
    def raw(self) -> bool:
        return self._wish.raw


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

"""What somebody is told of who does not look: chosen events, gaps above all, and silence.

The one rule: a gap that is not complete, and an account that is not heard, are never passed over.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from privstream.app.environment import Environment
from privstream.model.choosing import Choice, kinds_of, values_of
from privstream.model.errors import PrivstreamError, UsageError
from privstream.model.events import AnyEvent, Gap, Notice, Order, Status, Trade
from privstream.model.times import from_nanos
from privstream.outputs.notify import Bell, Desktop, Way, desktop_program, way_of
from privstream.outputs.privacy import masked as masked_event
from privstream.outputs.privacy import masked_words

SILENCE = 30.0
"""Seconds without a live connection after which somebody is told: an ordinary reconnect is shorter."""


class Teller(Protocol):
    """Tells a person."""

    @property
    def trouble(self) -> str | None:
        """Why nothing can be told, where that is so."""

    def tell(self, text: str, *, urgent: bool = False) -> None:
        """Never waits; of many at once, what is urgent is told first."""

    def end(self) -> None:
        """Nothing more comes."""


class Notifier:
    """Watches a stream, and has a person told of what was chosen."""

    def __init__(
        self,
        choice: Choice,
        teller: Teller,
        *,
        started: str,
        monotonic: Callable[[], float] = time.monotonic,
        masked: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._choice = choice
        self._say = say
        self._has_said = False
        self._started = started
        self._teller = teller
        self._monotonic = monotonic
        self._masked = masked
        self._down: dict[str, float] = {}
        """Since when accounts have not been live; those that were told of are in `_told` too."""
        self._told: set[str] = set()

    def take(self, events: Sequence[AnyEvent], /) -> None:
        """These came; what happened before this run began is no news."""
        for event in events:
            if isinstance(event, Status):
                self._hear(event)
            elif self._is_news(event) and self._choice.wants(event):
                shown = masked_event(event) if self._masked else event
                urgent = isinstance(event, Gap) and not event.complete
                self._teller.tell(f"{event.account}: {_said(shown)}", urgent=urgent)

    def _is_news(self, event: AnyEvent) -> bool:
        return event.source != "snapshot" and (event.time or event.received) >= self._started

    def lost(self, error: PrivstreamError, /) -> None:
        """An account has ended for good: worse than silence."""
        account = error.account or error.exchange or "privstream"
        self._down.pop(account, None)
        if self._choice.has_silence:
            why = masked_words(error.message) if self._masked else error.message
            self._teller.tell(f"{account}: STOPPED, {why}", urgent=True)

    def _hear(self, status: Status) -> None:
        account = status.account
        if status.state in {"live", "catching_up"}:
            since = self._down.pop(account, None)
            if account in self._told and since is not None:
                self._told.discard(account)
                self._teller.tell(f"{account}: heard again after {self._since(since)} s")
        elif status.state == "stopped":
            self._down.pop(account, None)
        else:
            self._down.setdefault(account, self._monotonic())

    def look(self) -> None:
        """Perhaps an account has been silent for too long, or nobody is told of anything."""
        if self._teller.trouble and not self._has_said:
            self._has_said = True
            self._say(f"--notify: what there is to tell is not shown: {self._teller.trouble}")
        if not (self._choice.has_silence and self._down):
            return
        for account, since in self._down.items():
            if account not in self._told and self._monotonic() - since >= SILENCE:
                self._told.add(account)
                text = f"{account}: NOT CONNECTED for {self._since(since)} s"
                self._teller.tell(text, urgent=True)

    def _since(self, moment: float) -> int:
        return round(self._monotonic() - moment)

    def end(self) -> None:
        self._teller.end()


def _said(event: AnyEvent) -> str:
    """In one line, in the words of the exchange where it must be: who shows it makes it harmless."""
    match event:
        case Gap():
            kind = "gap" if event.complete else "INCOMPLETE GAP: something may be missing"
            return f"{kind}, {event.cause}" + (f" ({event.detail})" if event.detail else "")
        case Trade():
            what = f"{event.side or '?'} {event.symbol or event.exchange_symbol}"
            return f"fill, {what} {event.quantity or '?'} at {event.price or '?'}"
        case Order():
            return f"order {event.status}, {event.side or '?'} {event.symbol}"
        case Notice():
            return f"{event.level}, {event.text}"
        case _:
            return type(event).__name__.lower()


DEFAULT = "fills,gaps,silence"


def notifier_for(
    environment: Environment,
    way: str | None,
    only: str | None,
    values: Sequence[str],
    *,
    masked: bool = False,
) -> Notifier | None:
    """What tells the person, as the options say; `None` where nobody is to be told."""
    if way is None:
        if only is not None or values:
            option = "--only" if only is not None else "--min-value"
            said = f"{option} says what --notify tells of and what the sinks of --to get"
            raise UsageError(said, "add --notify desktop, or a sink; file: gets every line")
        return None
    choice = Choice(kinds_of(DEFAULT if only is None else only), values_of(values))
    teller = _teller(environment, way_of(way))
    if teller is None:
        return None
    return Notifier(
        choice,
        teller,
        started=from_nanos(time.time_ns()),
        masked=masked,
        say=environment.console.say,
    )


def _teller(environment: Environment, way: Way) -> Teller | None:
    console = environment.console
    if way is Way.BELL:
        if not console.is_terminal:
            console.say("--notify bell: standard error is no terminal, so nothing can ring")
            return None
        return Bell(console.ring, time.monotonic)
    show = desktop_program(environment.variables)
    if show is None:
        why = "neither notify-send nor osascript is installed, so nothing can be shown"
        console.say(f"--notify desktop: {why}; --notify bell rings the terminal")
        return None
    return Desktop(show)

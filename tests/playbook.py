"""Dialogues with a session, in the wire's own words.

    Playbook(session).opened().sends({…}).receives({…}).does(Ready()).nothing()

A frame is a JSON value, or its text where digits matter. `like(Fill, fee="0.1")`
matches a report or an event by the named keys.
"""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import pytest

from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent
from privstream.model.reports import Listed, Report
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Delivered, Ping, Send, Session
from privstream.model.times import from_nanos

START = Now(wall_ns=1_780_000_000_000_000_000, monotonic=1000.0)


@dataclass(frozen=True)
class Like:
    """Equal to whatever is of this kind and has these values."""

    kind: type
    values: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.kind) and all(
            _found(other, key) == value for key, value in self.values.items()
        )

    __hash__ = None  # type: ignore[assignment]  # compared, never kept

    def __repr__(self) -> str:
        return f"like({self.kind.__name__}, {self.values})"


def _found(thing: object, key: str) -> object:
    fields = getattr(thing, "fields", None)
    if isinstance(fields, dict) and key in fields:
        return fields[key]
    return getattr(thing, key, "(absent)")


def like(kind: type, **values: Any) -> Any:
    """Matches by the named keys; of an OrderReport also by those in its `fields`."""
    return Like(kind, values)


def ledger(exchange: str = "kraken", *channels: str, **view: Any) -> Ledger:
    """A ledger that tells everything of the channels; none named means the usual three."""
    chosen = frozenset(channels or ("orders", "trades", "balances", "positions", "prices"))
    return Ledger(View(exchange=exchange, account=exchange, channels=chosen, **view))


NUMBERED_PINGS = ('{"event":"ping",', '{"method":"ping"')


class Actions(deque[Action]):
    """What a session does; of the rhythm of its pulse only what was asked for by name."""

    def __init__(self) -> None:
        super().__init__()
        self.pings: list[bytes] = []
        self.delivered: list[Now] = []

    def __iadd__(self, actions: Iterable[Action]) -> Self:
        for action in actions:
            match action:
                case Ping():
                    self.pings.append(action.payload)
                case Send() if action.text.startswith(NUMBERED_PINGS):
                    self.pings.append(action.text.encode())
                case Delivered():
                    self.delivered.append(action.until)
                case _:
                    self.append(action)
        return self


class Playbook:
    """One session, played step by step."""

    def __init__(self, session: Session, book: Ledger | None = None) -> None:
        self._session = session
        self._now = START
        self._pending = Actions()
        self.ledger = book or ledger()
        self.events: list[AnyEvent] = []
        """What `tells` has seen so far."""

    # --- what happens ------------------------------------------------------------------

    def opened(self, nonce: int = 0) -> Self:
        """The socket is open."""
        self._pending += self._session.open(Stamp(self._now, nonce))
        return self

    def receives(self, *frames: Any) -> Self:
        """Frames come, one after the other."""
        for frame in frames:
            text = frame if isinstance(frame, str | bytes) else json.dumps(frame)
            raw = text.encode() if isinstance(text, str) else text
            self._pending += self._session.receive(raw, self._now)
        return self

    def after(self, seconds: float) -> Self:
        """Time passes, and the session looks at the clock once at its end."""
        wall_ns = self._now.wall_ns + int(seconds * 1e9)
        self._now = Now(wall_ns, self._now.monotonic + seconds)
        self._pending += self._session.tick(self._now)
        return self

    def listens(self, seconds: float) -> Self:
        """Time passes, and the session looks at the clock twice a second, as it does."""
        for _ in range(int(seconds * 2)):
            self.after(0.5)
        return self

    @property
    def pings(self) -> list[bytes]:
        """The numbered pings so far, or payloads of native ones; `nothing` does not see them."""
        return self._pending.pings

    @property
    def delivered(self) -> list[Now]:
        """Until when all was proven to have come, likewise."""
        return self._pending.delivered

    def ponged(self, payload: bytes) -> Self:
        """A pong of the WebSocket protocol comes."""
        self._session.alive(self._now, payload)
        return self

    @property
    def now(self) -> Now:
        """This moment."""
        return self._now

    def refuses(self, frame: Any, kind: type[PrivstreamError]) -> PrivstreamError:
        """A frame comes that ends the session with this error, which is returned."""
        with pytest.raises(kind) as caught:
            self.receives(frame)
        return caught.value

    # --- what must follow ---------------------------------------------------------------

    def sends(self, *messages: Any) -> Self:
        """The next actions send these JSON values."""
        for message in messages:
            action = self._next(message)
            assert isinstance(action, Send), f"expected to send {message}, but got {action}"
            assert json.loads(action.text) == message
        return self

    def does(self, *expected: Any) -> Self:
        """The next actions are these."""
        for one in expected:
            assert self._next(one) == one
        return self

    def tells(self, *expected: Any) -> Self:
        """Everything pending goes through the ledger and makes just these events."""
        already = len(self.events)
        assert self.told_now().events[already:] == list(expected)
        return self

    def told_now(self) -> Self:
        """The ledger hears what is pending; what it tells is in `events`."""
        while self._pending:
            action = self._pending.popleft()
            if isinstance(action, Report | Listed):
                received = from_nanos(self._now.wall_ns)
                self.events += self.ledger.take(action, received)
        return self

    def nothing(self) -> Self:
        """No action is left."""
        assert not self._pending, f"left over: {list(self._pending)}"
        return self

    def forget(self) -> Self:
        """What is pending does not matter here."""
        self._pending.clear()
        return self

    def forget_events(self) -> Self:
        """The ledger hears what is pending, but what it tells does not matter here."""
        return self.told_now()

    def _next(self, expected: object) -> Action:
        assert self._pending, f"nothing more is done, but expected {expected}"
        return self._pending.popleft()

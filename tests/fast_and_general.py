"""One connection read twice: with the fast reader, which falls back, and by the general reader alone.

The one rule: whatever comes, both do the same, make the same events and are in the same state.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType
from typing import Any

from msgspec.structs import replace

from privstream.exchanges import find
from privstream.exchanges.base import JsonSession
from privstream.exchanges.kit.fast import leave
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.memory.report_check import is_sound
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import PrivstreamError
from privstream.model.exact import Part, encode
from privstream.model.reports import Listed, Report
from privstream.model.rest import Now, Stamp
from privstream.model.session import Ask, Reconnect
from privstream.model.times import from_nanos
from tests.fake_clock import START_NS

PROTOCOLS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("kraken", {}),
    ("kraken", {"protocol": "v1"}),
    ("bitfinex", {}),
    ("poloniex", {}),
    ("indodax", {}),
    ("zerocap", {}),
)
"""Those that have a fast reader."""
MOMENT = Now(START_NS, 1000.0)


class Differs(AssertionError):
    """The two readers did not do the same."""


class Side:
    """An exchange, its session and ledger, read in one of the two ways."""

    def __init__(
        self,
        name: str,
        options: Mapping[str, str],
        *,
        channels: tuple[str, ...],
        fast: bool,
        tells: bool,
    ) -> None:
        kind = find(name)
        keys = dict.fromkeys(kind.credentials, Secret("a2V5"))
        self.exchange = kind(Account(name, name, keys, kind.endpoints(options), options))
        chosen = channels or self.exchange.select(())
        view = View(exchange=name, account=name, channels=frozenset(chosen), raw=True)
        self.ledger = Ledger(view, from_nanos(START_NS - 10**15))
        self._channels = chosen
        self._is_fast, self._tells = fast, tells
        self.taken = 0
        """Frames that the fast reader took."""
        self.open(MOMENT)

    def open(self, now: Now) -> list[Any]:
        """A new connection."""
        token = Token(Secret("T0K3N-of-nobody"), 900.0)
        session = self.exchange.session(token, self._channels)
        assert isinstance(session, JsonSession)
        self.session = session
        fast: Any = partial(self._counted, session.read_fast) if self._is_fast else _left
        session.read_fast = fast  # type: ignore[method-assign]  # counted, or switched off
        return list(session.open(Stamp(now, 1_780_000_000_000_000)))

    def _counted(self, read_fast: Any, frame: bytes, now: Now) -> Any:
        actions = read_fast(frame, now)
        assert isinstance(actions, list | tuple), "a fast reader must be done when it returns"
        self.taken += 1
        return actions

    def receive(self, frame: bytes, now: Now) -> list[Any]:
        """What it does, and what the ledger makes of it; a refusal stands at the end."""
        done: list[Any] = []
        try:
            for action in self.session.receive(frame, now):
                done.append(_held_against_types(action))
                if self._tells and isinstance(action, Report | Listed):
                    done += map(encode, self.ledger.take(action, from_nanos(now.wall_ns)))
        except PrivstreamError as refusal:
            done.append(f"{type(refusal).__name__}: {refusal}")
        return [_without_flow(action) for action in done]

    def tick(self, now: Now) -> list[Any]:
        """Time passes."""
        done: list[Any] = [_held_against_types(action) for action in self.session.tick(now)]
        if self._tells:
            done += map(encode, self.ledger.settle(from_nanos(now.wall_ns)))
        return [_without_flow(action) for action in done]

    def state(self) -> Any:
        """All that the session and its exchange hold, without what is only a way of reading."""
        return _state((vars(self.session), vars(self.exchange)))


def _left(_frame: bytes, _now: Now) -> Any:
    leave("only the general reader")


def _held_against_types(action: Any) -> Any:
    """The same; a report that says that it was checked is sound indeed."""
    if not (isinstance(action, Report) and action.checked):
        return action
    plain: Any = replace(action, checked=False)
    assert is_sound(plain), f"not as its type says: {plain}"
    return plain


def _without_flow(action: Any) -> Any:
    return f"Ask for {action.what}" if isinstance(action, Ask) else action


class Pair:
    """Both sides of one protocol, which get the same.

    `tells` compares the events too: they follow from the reports, and take most of the time.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, str],
        *,
        channels: tuple[str, ...] = (),
        tells: bool = True,
    ) -> None:
        self.name = f"{name} {' '.join(options.values())}".strip()
        self._fast = Side(name, options, channels=channels, fast=True, tells=tells)
        self._general = Side(name, options, channels=channels, fast=False, tells=tells)
        self._now = MOMENT
        self.read = self.reports = 0

    @property
    def taken(self) -> int:
        """Frames that the fast reader took so far."""
        return self._fast.taken

    def receive(self, frame: bytes) -> list[Any]:
        """A frame comes. Raises Differs."""
        self._now = Now(self._now.wall_ns + 10**8, self._now.monotonic + 0.1)
        fast, general = (side.receive(frame, self._now) for side in self._sides())
        self._compare(frame, fast, general)
        self.read += 1
        self.reports += sum(isinstance(one, Report) for one in fast)
        if any(isinstance(one, Reconnect | str) for one in fast):
            self.reconnect()
        elif self.read % 5 == 0:
            self._compare(frame, *(side.tick(self._now) for side in self._sides()))
        return fast

    def reconnect(self) -> None:
        """A new connection of the same account."""
        for side in self._sides():
            side.open(self._now)
            side.ledger.reconnected()

    def compare_states(self, frame: bytes = b"") -> None:
        """Both hold the same. Raises Differs."""
        self._compare(frame, *(side.state() for side in self._sides()))

    def _sides(self) -> tuple[Side, Side]:
        return self._fast, self._general

    def _compare(self, frame: bytes, fast: Any, general: Any) -> None:
        if fast != general:
            raise Differs(f"{self.name} {frame!r}\n fast    {fast}\n general {general}")


CODE = (FunctionType, BuiltinFunctionType, MethodType, GeneratorType, partial, re.Pattern, type)


OF_READING = frozenset({"read_fast", "_descriptions", "_markets", "checked"})
"""What a session holds only to read faster."""


def _state(value: Any) -> Any:
    """A value as plain as it can be compared."""
    if value is None or isinstance(value, str | bytes | int | float | Secret):
        return value
    if isinstance(value, CODE):
        return None
    if isinstance(value, set | frozenset):
        return {repr(_state(one)) for one in value}
    if isinstance(value, dict):
        return {key: _state(inner) for key, inner in value.items() if key not in OF_READING}
    return [_state(one) for one in value] if isinstance(value, Iterable) else _held(value)


def _held(value: Any) -> Any:
    if isinstance(value, Part):
        return _state(value.value())
    slots = getattr(value, "__struct_fields__", getattr(value, "__slots__", ()))
    return _state({**{key: getattr(value, key) for key in slots}, **getattr(value, "__dict__", {})})

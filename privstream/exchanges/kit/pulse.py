"""Keeps one connection alive, and notices when it is not.

The one rule: an answer to a ping comes after everything that the exchange had sent before it.
So with the answer all that it had to tell until the ping was sent is told, however old the
frames are that waited in the socket. The time at which a frame is read proves nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import NamedTuple

from msgspec import Struct

from privstream.model.rest import Now
from privstream.model.session import TICK, Delivered, Ping, Reconnect, Send

LISTENING = 2.0
"""Seconds between two looks at the clock; what is beyond was our absence, not their silence."""
LISTEN = 1.5
"""Seconds for which nobody need look at the clock."""
UNDER_WAY = 100
"""Pings without an answer that are remembered."""


class Rhythm(Struct, frozen=True, kw_only=True):
    """What an exchange sends by itself, and what it expects of us; in seconds."""

    every: float
    """From one ping of ours to the next."""
    login: float
    """From the open socket until every subscription is acknowledged."""
    silence: float = inf
    """So long may nothing come that is a sign of life."""
    sign: str = "heartbeat"
    """What such a sign is called."""
    answer: float = inf
    """So long may the answer to a ping take."""
    patience: float = inf
    """The exchange ends a connection on which we said nothing for so long."""
    needs_sign: bool = False
    """An answer proves the socket only: the sign of life that follows it proves the channel."""
    overtakes: bool = False
    """An answer may overtake what still waits at the exchange. So it proves only what came before
    the ping before, and that only where we have listened in between."""


class _Asked(NamedTuple):
    """A ping under way."""

    number: int
    sent: Now
    listened: float
    """For how long we had listened on this connection."""


class Pulse:
    """One connection's pings and signs of life. What was never opened, as a replay, never dies."""

    def __init__(self, rhythm: Rhythm, ping: Callable[[int], Iterable[Send | Ping]]) -> None:
        self.rhythm = rhythm
        self._ping = ping
        self._opened: float | None = None
        self._sign = self._spoke = self._looked = self._listened = 0.0
        self._has_sign = False
        """A sign of life came since the last answer."""
        self._may_ping = False
        """The login is over."""
        self._number = 0
        self._asked: deque[_Asked] = deque(maxlen=UNDER_WAY)
        self._pinged = 0.0
        self._latest: _Asked | None = None
        """The last ping that was answered."""
        self._answered: Now | None = None
        """When the last ping was sent whose answer proves something, until that is told."""
        self._paused_until = -inf

    # --- what happens ----------------------------------------------------------------------

    @property
    def is_live(self) -> bool:
        """A socket is behind it; a replay of bare frames has none."""
        return self._opened is not None

    def opened(self, now: Now) -> None:
        """The socket is open."""
        self._opened = self._sign = self._spoke = self._looked = self._pinged = now.monotonic

    def spoke(self, now: Now) -> None:
        """We said something: the exchange's patience begins anew."""
        self._spoke = now.monotonic

    def felt(self, now: Now) -> None:
        """A sign of life came: something that the exchange sent of itself."""
        self._sign = now.monotonic
        self._has_sign = True

    def answered(self, number: object = None) -> None:
        """The answer to a ping came; one without a number answers the oldest."""
        if number is None and self._asked:
            number = self._asked[0].number
        if not isinstance(number, int) or all(asked.number != number for asked in self._asked):
            return
        while self._asked and self._asked[0].number <= number:
            self._take_answer(self._asked.popleft())
        self._has_sign = False

    def _take_answer(self, asked: _Asked) -> None:
        before, self._latest = self._latest, asked
        if not self.rhythm.overtakes:
            self._answered = asked.sent
        elif before is not None and asked.listened - before.listened >= self.rhythm.every / 2:
            self._answered = before.sent

    def ponged(self, payload: bytes | None) -> None:
        """A pong of the WebSocket protocol came with this payload; `None` means a ping."""
        if payload is not None and payload.isdigit():
            self.answered(int(payload))

    def pause(self, now: Now, seconds: float) -> bool:
        """Maintenance begins, and silence is no fault for a while; False where it had begun."""
        is_news = now.monotonic >= self._paused_until
        self._paused_until = now.monotonic + seconds
        return is_news

    # --- looking at the clock --------------------------------------------------------------

    def check(
        self, now: Now, awaited: str | None = None
    ) -> list[Send | Ping | Delivered | Reconnect]:
        """Time passed. `awaited` names what the login still lacks; before, nothing is pinged."""
        if self._opened is None:
            return []
        self._listened += min(now.monotonic - self._looked, LISTENING)
        self._looked = now.monotonic
        self._may_ping = awaited is None
        if now.monotonic < self._paused_until:
            return []
        fault = self._fault(now, awaited)
        if fault is not None:
            cause = "maintenance" if self._sign <= self._paused_until else "silence"
            return [Reconnect(cause, fault)]
        if awaited is not None:
            return []
        actions: list[Send | Ping | Delivered | Reconnect] = []
        if self._answered is not None:
            actions += self._delivered()
        if now.monotonic - self._pinged >= self.rhythm.every:
            actions += self._next_ping(now)
        return actions

    def patience(self, now: Now) -> float:
        """Seconds until the next ping, but not so long that it would count as absence."""
        if not self._may_ping or now.monotonic < self._paused_until:
            return TICK
        return min(LISTEN, max(0.0, self._pinged + self.rhythm.every - now.monotonic))

    def _fault(self, now: Now, awaited: str | None) -> str | None:
        """Why this connection is no good any more."""
        rhythm, quiet = self.rhythm, now.monotonic - self._spoke
        if awaited is not None and now.monotonic - (self._opened or 0.0) > rhythm.login:
            return f"no {awaited} within {rhythm.login:.0f} s"
        if quiet > rhythm.patience:
            # We slept, or waited for a reader: whatever is sent now is not heard any more.
            return f"we said nothing for {quiet:.0f} s: the session has ended"
        if now.monotonic - self._sign > rhythm.silence:
            return f"no {rhythm.sign} for {rhythm.silence:.0f} s"
        if self._asked and self._listened - self._asked[0].listened > rhythm.answer:
            return f"no answer to a ping within {rhythm.answer:.0f} s"
        return None

    def _delivered(self) -> Iterator[Delivered]:
        if self._answered is not None and (self._has_sign or not self.rhythm.needs_sign):
            yield Delivered(self._answered)
            self._answered = None

    def _next_ping(self, now: Now) -> Iterator[Send | Ping]:
        self._number += 1
        self._asked.append(_Asked(self._number, now, self._listened))
        self._pinged = now.monotonic
        self.spoke(now)
        yield from self._ping(self._number)


def native_ping(number: int) -> Ping:
    """A ping of the WebSocket protocol; every server answers it with the same payload."""
    return Ping(str(number).encode())

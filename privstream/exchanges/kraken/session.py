"""What both Kraken protocols do alike: subscribe, wait for the first lists, live, complain.

The one rule: a connection is ready when every subscription was acknowledged, and synced
when each has told what stands. Source: docs.kraken.com, WebSocket v1 and v2 (checked 2026-11-30).
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from privstream.exchanges.base import JsonSession, unrecognised
from privstream.exchanges.kit.complaints import words_of
from privstream.exchanges.kit.fast import leave
from privstream.exchanges.kit.pulse import Pulse, Rhythm
from privstream.exchanges.kit.sequence import Sequence, number_of
from privstream.exchanges.kit.words import word
from privstream.exchanges.kraken.learnt import Learnt
from privstream.exchanges.kraken.refusals import error_for
from privstream.model.errors import RateLimited
from privstream.model.reports import AnyReport, Listed, NoticeReport
from privstream.model.rest import Now
from privstream.model.session import Action, Ready, Send, Synced

RHYTHM = Rhythm(
    every=5.0,
    login=10.0,
    # Heartbeats come about once a second where there is no other news. A socket was seen that
    # acknowledged its subscriptions and then never told anything, not even heartbeats
    # (github.com/nautechsystems/nautilus_trader issue 4255), so an answer alone proves little.
    # Heartbeats without an answer are life too: then only the proof of what was delivered lacks.
    silence=10.0,
    needs_sign=True,
)
FIRST_PING = 1_000_000  # ids of subscriptions and of order calls are far below


class KrakenSession(JsonSession):
    """One connection, whatever its protocol; `wanted` are the wire's channels."""

    lists: ClassVar[Mapping[str, Listed]]
    """What a channel's snapshot lists all of."""

    def __init__(self, token: str, wanted: tuple[str, ...], learnt: Learnt | None = None) -> None:
        self._token = token
        self._learnt = learnt or Learnt()
        self._heard: set[str] = set()
        self._wanted = wanted
        self._unacknowledged = set(wanted)
        self._unlisted = set(wanted)
        self._sequences = {name: Sequence() for name in wanted}
        self._pulse = Pulse(RHYTHM, self._ping)
        self._is_ready = False

    def patience(self, now: Now) -> float:
        return self._pulse.patience(now)

    def tick(self, now: Now) -> Iterable[Action]:
        return self._pulse.check(now, None if self._is_ready else "acknowledgement")

    @abstractmethod
    def _ping_message(self, number: int) -> dict[str, Any]:
        """A ping in this protocol's words."""

    def _ping(self, number: int) -> Iterator[Send]:
        yield Send(msgspec.json.encode(self._ping_message(FIRST_PING + number)).decode())

    def _ponged(self, number: object) -> None:
        self._pulse.answered(number - FIRST_PING if isinstance(number, int) else None)

    def _expecting(self, channel: str, number: int) -> Sequence:
        """The numbering of a channel, for a fast reader: this number must be the next one."""
        numbers = self._sequences.get(channel)
        if numbers is None or numbers.awaited != number:
            leave("not the next frame")
        return numbers

    def _hear(self, symbol: object) -> None:
        """Keep a pair's name, as this protocol writes it, for what REST will say of it."""
        if isinstance(symbol, str) and symbol not in self._heard and "/" in symbol:
            self._heard.add(symbol)
            self._learnt.pairs.heard(symbol)

    def _acknowledged(self, channel: str) -> Iterator[Action]:
        self._unacknowledged.discard(channel)
        if not self._unacknowledged and not self._is_ready:
            self._is_ready = True
            yield Ready()
            if not self._unlisted:
                yield Synced()

    def _list(self, channel: str, reports: Iterable[AnyReport]) -> Iterator[Action]:
        """A list of what stands. It is one only where it is known of everything in it what it is."""
        is_whole = True
        for report in reports:
            is_whole &= not (isinstance(report, NoticeReport) and report.once is None)
            yield report
        if is_whole:
            if channel in self.lists:
                yield self.lists[channel]
            yield from self._listed(channel)

    def _listed(self, channel: str) -> Iterator[Action]:
        if channel in self._unlisted:
            self._unlisted.discard(channel)
            if self._is_ready and not self._unlisted:
                yield Synced()

    def _read_complaint(self, message: dict[str, Any]) -> Iterator[Action]:
        """An error that names no request: while we subscribe, the subscription was refused."""
        text = complaint_of(message)
        if text is None:
            yield unrecognised(message, "neither data nor a reply that is known")
            return
        problem = error_for(text, self._asked_for())
        number = number_of(message.get("req_id", message.get("reqid")))
        may_be_its = number is None or number <= len(self._wanted)  # they were numbered first
        if (self._unacknowledged and may_be_its) or isinstance(problem, RateLimited):
            raise problem
        yield NoticeReport(level="error", code=None, text=text, element=message)

    def _asked_for(self) -> str:
        """What still waits for an answer, in words."""
        waiting = [name for name in self._wanted if name in self._unacknowledged]
        if not waiting:
            return "our request"
        return f"the {' and '.join(waiting)} channel{'s' if len(waiting) > 1 else ''}"


def complaint_of(message: dict[str, Any]) -> str | None:
    """The text of an error, wherever it stands."""
    return words_of(message, ("error", "errorMessage", "Error")) or None


def engine_state(system: str, element: Any) -> Iterator[NoticeReport]:
    """The trading engine's state; only another than `online` is worth a word."""
    if system != "online":
        text = f"Kraken's trading engine is in state {system}"
        yield NoticeReport(level="warning", code=word(system), text=text, element=element)

"""A state file with rows for sinks, and a sink that does what a test says."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from privstream.delivery.courier import Courier, Source
from privstream.delivery.outbox import Line, Outbox
from privstream.delivery.resume_file import State, StateOwner
from privstream.delivery.spool import Buffer
from privstream.outputs.sinks.base import Row

NS = 1_790_000_000_000_000_000
RECEIVED = "2026-11-20T11:32:00.000000Z"
WHOSE = StateOwner("kraken", "kraken", "127.0.0.1", ("trades",))


@contextmanager
def state_for(path: Path, *sinks: str) -> Iterator[State]:
    with State(path, WHOSE, NS, resumes=False, sinks=sinks) as state:
        yield state


def keep(state: State, *names: str, skipped: tuple[str, ...] = ()) -> None:
    """Put events of these ids into the outbox."""
    state.commit((), NS, lines=[Line("trade", name, line_of(name), skipped) for name in names])


def line_of(name: str) -> bytes:
    """What a sink is given of an event."""
    return f'{{"id":"{name}","received":"{RECEIVED}"}}'.encode()


def outbox_of(path: Path, sink: str) -> Outbox:
    return Outbox(path, sink, "kraken", "kraken")


def owed(path: Path, sink: str) -> list[str | None]:
    with outbox_of(path, sink) as outbox:
        return [row.event for row in outbox.owed()]


class ScriptedSink:
    """Raises, call by call, what `answers` holds; takes everything where that is `None` or used up."""

    def __init__(self, *answers: Exception | None) -> None:
        self.given: list[list[str | None]] = []
        self._answers = list(answers)

    def deliver(self, rows: Sequence[Row], /) -> None:
        self.given.append([row.event for row in rows])
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer

    def close(self) -> None:
        """Nothing is held."""


class Letters:
    """Dead letters in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[str | None, str, int]] = []

    def keep(self, row: Row, why: str, attempts: int) -> None:
        self.kept.append((row.event, why, attempts))


class Delivery:
    """A courier of one account's outbox, driven round by round."""

    def __init__(self, path: Path, sink: ScriptedSink, types: Sequence[str] = ("trade",)) -> None:
        self.said: list[str] = []
        self.letters = Letters()
        self.buffer = Buffer("hook", 1 << 20, "block")
        self.courier = Courier(
            "hook",
            sink,
            [Source(path, "kraken", "kraken")],
            self.buffer,
            wanted=lambda row: row.type in types,
            dead_letters=self.letters,
            say=self.said.append,
            where="https://hook",
        )
        self._path = path

    def round(self) -> float:
        with outbox_of(self._path, "hook") as outbox:
            return self.courier.step([outbox])

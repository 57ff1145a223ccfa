"""The couriers of a run, from its start to its end."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

from privstream.app.destinations import Destinations
from privstream.app.environment import Environment
from privstream.app.open_sink import open_sink
from privstream.app.sink_choice import SinkChoice
from privstream.delivery.courier import Courier, Source
from privstream.delivery.dead_letters import LetterFile
from privstream.delivery.printer import SEVERITY
from privstream.delivery.resume_file import State
from privstream.delivery.spool import Buffer, Spool
from privstream.model.errors import Exit, PrivstreamError
from privstream.model.events import AnyEvent
from privstream.outputs.sinks.base import Sink
from privstream.settings.config import Config

LEAVING = 1.0
"""Seconds that sinks have at the end of a run to take what waits."""
LEAVING_WHEN_TOLD = 0.2
"""The same where somebody wants the run to end."""


class Deliveries:
    """The couriers of a run, from its start to its end."""

    def __init__(
        self,
        environment: Environment,
        wanted: Destinations,
        config: Callable[[], Config],
        states: Mapping[str, State],
        exchanges: Mapping[str, str],
    ) -> None:
        """`exchanges`: by account."""
        self._environment = environment
        self._sources = [
            Source(state.path, exchanges[name], name) for name, state in states.items()
        ]
        self._couriers: list[Courier] = []
        buffers: list[Buffer] = []
        for settings in wanted.sinks:
            buffers.append(Buffer(settings.name, settings.max_size, settings.when_full))
            sink = open_sink(settings, config)
            self._couriers.append(
                courier_of(environment, SinkChoice(settings), sink, self._sources, buffers[-1])
            )
        self.spool = Spool(buffers, environment.stop.is_told, self._wake)

    def __enter__(self) -> Self:
        for courier in self._couriers:
            courier.start()
        return self

    def __exit__(self, *_: object) -> None:
        told = self._environment.stop.event.is_set()
        until = time.monotonic() + (LEAVING_WHEN_TOLD if told else LEAVING)
        with ExitStack() as last:
            for courier in self._couriers:
                last.callback(self._say_what_waits, courier)
                courier.finish(max(0.0, until - time.monotonic()))

    @property
    def exit(self) -> Exit:
        """What became of them: one that stopped for good is a fault to be seen."""
        for courier in self._couriers:
            if courier.bug is not None:
                raise courier.bug
        return worst_exit(self._couriers)

    # --- watching the run: a sink that lets nobody in ends it at once ----------------------

    def look(self) -> None:
        for courier in self._couriers:
            if (refusal := courier.refusal) is not None:
                raise refusal

    def take(self, events: Sequence[AnyEvent], /) -> None:
        """Events come by the outbox."""

    def lost(self, error: PrivstreamError, /) -> None:
        """An account's end is no matter of the sinks."""

    def end(self) -> None:
        """The block ends them."""

    def _wake(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _say_what_waits(self, courier: Courier) -> None:
        if waiting := courier.owed():
            events = "1 event waits" if waiting == 1 else f"{waiting} events wait"
            self._environment.console.say(
                f"{events} for {courier.where}: the next run with the same --to delivers them"
            )


def worst_exit(couriers: Iterable[Courier]) -> Exit:
    """The exit code by what became of these."""
    exits = (courier.error.exit for courier in couriers if courier.error is not None)
    return max(exits, key=SEVERITY.index, default=Exit.DONE)


def courier_of(
    environment: Environment,
    choice: SinkChoice,
    sink: Sink,
    sources: Sequence[Source],
    buffer: Buffer,
) -> Courier:
    """What carries the chosen rows to a sink; it is not started yet."""
    settings, letters = choice.settings, choice.settings.dead_letter
    if letters is None:
        letters = environment.state_folder() / f"{settings.name}.dead.jsonl"
    return Courier(
        settings.name,
        sink,
        sources,
        buffer,
        wanted=choice.wants_row,
        dead_letters=LetterFile(letters, settings.name),
        say=environment.console.say,
        where=settings.where,
        patience=settings.timeout,
    )

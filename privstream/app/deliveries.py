"""The couriers of a run, from its start to its end."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Self

from privstream.app.destinations import Destinations
from privstream.app.environment import Environment
from privstream.app.open_sink import open_sink
from privstream.delivery.courier import Courier, Source
from privstream.delivery.dead_letters import LetterFile
from privstream.delivery.resume_file import State
from privstream.delivery.spool import Buffer, Spool
from privstream.model.errors import Exit
from privstream.outputs.sinks.base import Row, Sink
from privstream.settings.config import Config
from privstream.settings.sinks import SinkSettings

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
            buffer, courier = self._courier(settings, open_sink(settings, config))
            buffers.append(buffer)
            self._couriers.append(courier)
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
        return Exit.OURS if any(courier.error for courier in self._couriers) else Exit.DONE

    def _courier(self, settings: SinkSettings, sink: Sink) -> tuple[Buffer, Courier]:
        def is_wanted(row: Row) -> bool:
            return row.account in (settings.accounts or {row.account}) and row.type in (
                settings.types or {row.type}
            )

        letters = settings.dead_letter
        if letters is None:
            letters = self._environment.state_folder() / f"{settings.name}.dead.jsonl"
        buffer = Buffer(settings.name, settings.max_size, settings.when_full)
        courier = Courier(
            settings.name,
            sink,
            self._sources,
            buffer,
            wanted=is_wanted,
            dead_letters=LetterFile(letters, settings.name),
            say=self._environment.console.say,
            where=settings.where,
        )
        return buffer, courier

    def _wake(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _say_what_waits(self, courier: Courier) -> None:
        if waiting := courier.owed():
            events = "1 event waits" if waiting == 1 else f"{waiting} events wait"
            self._environment.console.say(
                f"{events} for {courier.where}: the next run with the same --to delivers them"
            )

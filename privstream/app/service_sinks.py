"""The files and sinks of a service, which come and go as its config says.

The one rule: an event is in the files before the account's state holds it; from there each sink is
served in its own time.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from msgspec import Struct

from privstream.app.assembly import Wanted, open_state
from privstream.app.deliveries import courier_of
from privstream.app.environment import Environment
from privstream.app.sink_choice import SinkChoice, is_status
from privstream.delivery.courier import Courier, Source
from privstream.delivery.resume_file import State
from privstream.delivery.spool import Buffer, Spool
from privstream.delivery.stream import EventBatch, Whole
from privstream.model.account import Account
from privstream.model.events import AnyEvent
from privstream.outputs.base import Output, Reopened
from privstream.outputs.sinks.base import Sink
from privstream.settings.sinks import SinkSettings

CHANGING = 0.2
"""Seconds that a sink has to take what waits before it makes way for its new settings."""


class Served(Struct):
    """A sink of the service."""

    settings: SinkSettings
    buffer: Buffer
    courier: Courier
    former: Courier | None = None
    """The one before it, which may be in the middle of a delivery still."""
    is_first: bool = False
    """It is there from the beginning: where it lets nobody in, the service does not begin."""


class File(Struct):
    """A file of the service."""

    choice: SinkChoice
    output: Output
    sent: int = 0


class Sinks:
    """Everything that the service delivers to; the main thread's alone."""

    def __init__(self, environment: Environment, wanted: Wanted, *, simulated: str = "") -> None:
        self._environment = environment
        self._wanted = wanted
        self._simulated = simulated
        self.served: dict[str, Served] = {}
        self._files: dict[str, File] = {}
        self.keepers: dict[str, OutboxKeeper] = {}
        self._spool = Spool([], environment.stop.is_told, self._wake)
        self.has_begun = False
        """The service runs; what comes now has to get along with that."""
        self.takes_statuses = False
        """Somebody wants to hear of the connections."""

    # --- what there is ---------------------------------------------------------------------

    def put_file(self, settings: SinkSettings, output: Output) -> None:
        """Write a file from now on, in place of one of the same name."""
        self.drop(settings.name)
        self._files[settings.name] = File(_choice(settings), output)
        self._look_who_takes_statuses()

    def reopen_files(self) -> None:
        """Go on in new files of the old names, after a rotation."""
        for file in self._files.values():
            if isinstance(file.output, Reopened):
                file.output.reopen()

    def put(self, settings: SinkSettings, sink: Sink) -> None:
        """Serve a sink from now on, in place of one of the same name."""
        self._close(settings.name)
        former = self._taken(settings.name)
        buffer = Buffer(settings.name, settings.max_size, settings.when_full)
        sources = [keeper.source for keeper in self.keepers.values()]
        courier = courier_of(self._environment, _choice(settings), sink, sources, buffer)
        self.served[settings.name] = Served(settings, buffer, courier, former, not self.has_begun)
        self._tell_all()
        self._start(self.served[settings.name])

    def drop(self, name: str) -> None:
        """Deliver there no more; what a sink is owed is kept for it."""
        self._close(name)
        self._taken(name)
        self._tell_all()

    def _close(self, name: str) -> None:
        if (file := self._files.pop(name, None)) is not None:
            file.output.close()

    def _taken(self, name: str) -> Courier | None:
        there = self.served.pop(name, None)
        if there is None:
            return None
        there.courier.finish(CHANGING)
        return there.courier

    def _tell_all(self) -> None:
        for keeper in self.keepers.values():
            keeper.state.serve(list(self.served))
        self._spool.serve([one.buffer for one in self.served.values()])
        self._look_who_takes_statuses()

    def _start(self, one: Served) -> None:
        if one.former is None or not one.former.is_running:
            one.former = None
            one.courier.start()

    def couriers(self) -> list[Courier]:
        """Of all sinks; from any thread."""
        return [one.courier for one in [*self.served.values()]]

    # --- now and then ----------------------------------------------------------------------

    def look(self) -> None:
        """Begin with sinks whose former selves have let go, and end where one lets nobody in."""
        for one in self.served.values():
            if one.former is not None:
                self._start(one)
            if one.is_first and (refusal := one.courier.refusal) is not None:
                raise refusal

    def finish(self, seconds: float) -> None:
        """Give the sinks so long to take what waits, say what stays, and close the files."""
        until = time.monotonic() + seconds
        with ExitStack() as last:
            for name in [*self._files]:
                last.callback(self._close, name)
            for one in self.served.values():
                one.courier.finish(max(0.0, until - time.monotonic()))
                last.callback(self._say_what_waits, one.courier)

    def _say_what_waits(self, courier: Courier) -> None:
        if waiting := courier.owed():
            events = "1 event waits" if waiting == 1 else f"{waiting} events wait"
            where, say = courier.where, self._environment.console.say
            say(f"{events} for {where}: they are kept for the next start")

    # --- accounts --------------------------------------------------------------------------

    def keep(self, account: Account, channels: tuple[str, ...], /) -> "OutboxKeeper":
        state = open_state(
            self._environment,
            account,
            channels,
            self._wanted,
            simulated=self._simulated,
            sinks=list(self.served),
        )
        keeper = OutboxKeeper(self, state, Source(state.path, account.exchange, account.name))
        self.keepers[account.name] = keeper
        for one in self.served.values():
            one.courier.serve(keeper.source)
        return keeper

    def has_room(self, seconds: float, /) -> bool:
        return self._spool.has_room(seconds)

    def write(self, events: Sequence[AnyEvent]) -> None:
        """Into the files, each with what it wants."""
        for file in self._files.values():
            if chosen := [event for event in events if file.choice.wants(event)]:
                file.output.write(chosen)
                file.sent += len(chosen)

    def files(self) -> dict[str, int]:
        """How many events are in each file of this run; from any thread."""
        return {name: file.sent for name, file in self._files.copy().items()}

    def _look_who_takes_statuses(self) -> None:
        choices = [file.choice for file in self._files.values()]
        choices += [_choice(one.settings) for one in self.served.values()]
        self.takes_statuses = any(choice.takes_statuses for choice in choices)

    def is_drained(self, account: str) -> bool:
        return not any(one.courier.owed(account) for one in self.served.values())

    def forget(self, account: str) -> None:
        """It has left; where nothing of it waits, the sinks let go of it too."""
        drained = self.is_drained(account)
        self.keepers.pop(account, None)
        for one in self.served.values() if drained else ():
            one.courier.leave(account)

    @property
    def spool(self) -> Spool:
        return self._spool

    def _wake(self) -> None:
        for one in self.served.values():
            one.courier.wake()


def _choice(settings: SinkSettings) -> SinkChoice:
    return SinkChoice(settings, statuses=False)


class OutboxKeeper:
    """Keeps an account's events for the files and sinks, and what a next run goes on from."""

    def __init__(self, sinks: Sinks, state: State, source: Source) -> None:
        self.state = state
        self.source = source
        self._sinks = sinks

    def deliver(self, told: EventBatch, /) -> None:
        """Into the files, then with the notes into the state, at once for all of a batch."""
        spool, events = self._sinks.spool, list[AnyEvent]()
        takes_statuses = self._sinks.takes_statuses
        for event in told.events:
            if takes_statuses or not is_status(event):
                events += (event, *spool.notices(event))
        self._sinks.write(events)
        lines = spool.lines(events)
        if told.notes or lines:
            self.state.commit(told.notes, time.time_ns(), lines=lines)
        if lines:
            spool.sent()

    def whole(self, word: Whole, /) -> None:
        self.state.commit(word.notes, time.time_ns(), whole_ns=word.wall_ns)

    def is_drained(self) -> bool:
        return self._sinks.is_drained(self.source.account)

    def close(self) -> None:
        self._sinks.forget(self.source.account)
        self.state.__exit__()

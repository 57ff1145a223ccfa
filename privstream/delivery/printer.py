"""The last step of a stream: prints events, says states, counts, knows when to stop.

The one rule: what was printed is a prefix of what happened, in whole lines. From the first event
that a reader does not take any more nothing is printed or remembered; the rest is counted.

Everything here runs in the main thread, which alone owns outputs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Protocol

from privstream.delivery.signals import Stop, Stopped
from privstream.delivery.stream import Ended, EventBatch, Item, Received, Stream, Whole
from privstream.model.errors import Exit, OutputFailed, PrivstreamError
from privstream.model.events import AnyEvent, Status
from privstream.model.times import from_nanos
from privstream.outputs.base import FrameOutput, NotTaken, Output, ReaderGone, Reopened
from privstream.outputs.console import STDOUT, Console
from privstream.outputs.descriptor import discard_stdout, reader_gone

if TYPE_CHECKING:  # start-up time
    from privstream.delivery.resume_file import State
    from privstream.delivery.spool import Spool


class Watcher(Protocol):
    """Sees all that comes, states of the connections too, whatever is printed."""

    def take(self, events: Sequence[AnyEvent], /) -> None:
        """These came."""

    def look(self) -> None:
        """Perhaps it is time to say something."""

    def lost(self, error: PrivstreamError, /) -> None:
        """An account has ended for good."""

    def end(self) -> None:
        """Nothing more comes."""


class Summed(Protocol):
    """Says at the end what was printed."""

    def take(self, events: Sequence[AnyEvent], /) -> None:
        """These were printed."""

    def end(self) -> None:
        """Nothing more comes."""


class Finished(Exception):
    """As many lines as wanted were printed."""


class Printer:
    """Prints the items of a stream until it is enough."""

    def __init__(
        self,
        console: Console,
        stop: Stop,
        output: Output | None,
        frames: FrameOutput | None,
        *,
        sinks: Sequence[Output] = (),
        show_status: bool = False,
        count: int | None = None,
        states: "Mapping[str, State] | None" = None,
        spool: "Spool | None" = None,
        watchers: Sequence[Watcher] = (),
        summary: Summed | None = None,
        gather: float = 0.0,
    ) -> None:
        self._console = console
        self._line = console.line
        self._stop = stop
        self._output = output
        self._frames = frames
        self._sinks = sinks
        self._show_status = show_status
        self._left = count
        self._watchers = watchers
        self._summary = summary
        # What --resume remembers is committed event by event, as it is printed.
        self._gather = 0.0 if states else gather
        self._worst = Exit.DONE
        self._is_reopening_due = False
        self._reader_takes = True
        self._is_torn = False
        self._unprinted = 0
        """Events, or frames where those are printed."""
        self._resumes = any(state.resumes for state in (states or {}).values())
        if states:
            from privstream.delivery.remembering import Remembering  # noqa: PLC0415 - only then

            self._remembering = Remembering(states, self._write, spool)

    def run(self, stream: Stream) -> Exit:
        """Print until the end, whatever brings it; returns the exit code. Raises Stopped."""
        with ExitStack() as end:
            end.callback(self._close)
            self._listen(stream)
            try:
                self._print_all(stream)
            except Finished:
                return self._worst
            except ReaderGone:
                discard_stdout()
                self._summary = None  # nobody is there
                return Exit.DONE
        if self._stop.by is not None:
            raise Stopped
        return self._worst

    def _listen(self, stream: Stream) -> None:
        """A signal is seen at once, also where nothing comes."""
        self._stop.when_told(stream.wake)
        self._console.status_line.silent_for = partial(_silence, stream)
        if any(isinstance(sink, Reopened) for sink in self._sinks):

            def reopen() -> None:
                self._is_reopening_due = True
                stream.wake()

            self._stop.reopen = reopen

    def _print_all(self, stream: Stream) -> None:
        with stream:
            for item in stream.items(self._line.pause, self._gather):
                self._take(item)
                if self._stop.is_told():
                    break
        for item in stream.leftovers():
            self._take(item)
        self._unprinted += stream.lost

    def _close(self) -> None:
        self._stop.reopen = None
        self._line.clear()
        if self._output is not None:
            self._output.close()
        if self._unprinted:
            self._console.fail(self._not_printed())
        for watcher in self._watchers:
            watcher.end()
        if self._summary is not None:
            self._summary.end()
        for sink in self._sinks:
            sink.close()

    def _not_printed(self) -> PrivstreamError:
        what = "event" if self._frames is None else "frame"
        what += " was" if self._unprinted == 1 else "s were"
        torn = ", and the last line is cut off" if self._is_torn else ""
        return OutputFailed(
            f"{self._unprinted} {what} not printed: the reader did not take them{torn}",
            "the next run with --resume begins with them" if self._resumes else None,
        )

    # --- what comes ------------------------------------------------------------------------

    def _take(self, item: Item | None) -> None:
        if self._is_reopening_due:
            self._reopen()
        match item:
            case None:
                if reader_gone(STDOUT):
                    raise ReaderGone
            case Ended():
                self._end_of(item)
            case Received():
                self._print_frames(item)
            case EventBatch():
                self._print_and_remember(item)
            case Whole():
                if self._reader_takes:
                    self._remembering.whole(item)
            case _:
                self._print(item)
        for watcher in self._watchers:
            watcher.look()
        self._line.draw(from_nanos(time.time_ns()))

    def _end_of(self, ended: Ended) -> None:
        error = ended.error
        if error is None:
            return
        if not isinstance(error, PrivstreamError):
            raise error
        self._console.fail(error)
        for watcher in self._watchers:
            watcher.lost(error)
        self._worst = max(self._worst, error.exit, key=SEVERITY.index)

    def _print(self, events: list[AnyEvent]) -> None:
        if shown := self._shown(events):
            self._deliver(shown, lambda: self._write(shown))

    def _print_and_remember(self, told: EventBatch) -> None:
        shown = self._shown(told.events)
        self._deliver(shown, lambda: self._remembering.deliver(told, shown))

    def _deliver(self, shown: Sequence[AnyEvent], write: Callable[[], None]) -> None:
        if not self._reader_takes:
            self._count_unprinted(shown)
            return
        if shown and self._console.shares_terminal:
            self._line.clear()
        try:
            write()
        except NotTaken as rest:
            self._give_up(len(shown), rest)
        else:
            self._count_printed(shown)

    def _shown(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Those to print, of as many as are still wanted."""
        for watcher in self._watchers:
            watcher.take(events)
        if Status in map(type, events):  # seldom, and most batches are large
            events = self._without_statuses(events)
        return events if self._frames is not None else events[: self._left]

    def _without_statuses(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Show the states; who did not ask for them as events does not get them printed."""
        for event in events:
            # That it stopped is known to who stopped it; an error says so itself.
            if isinstance(event, Status) and event.state != "stopped":
                self._line.update(event)
        if self._show_status:
            return events
        return [event for event in events if not isinstance(event, Status)]

    def _write(self, events: Sequence[AnyEvent]) -> None:
        # First to the reader, who may have gone: then no file has what he never got.
        unread: NotTaken | None = None
        if self._output is not None:
            try:
                self._output.write(events)
            except NotTaken as rest:
                events, unread = events[: rest.whole], rest
        self._write_to_sinks(events)
        if unread is not None:
            raise unread

    def _write_to_sinks(self, events: Sequence[AnyEvent]) -> None:
        if events:
            for sink in self._sinks:
                sink.write(events)

    def _print_frames(self, received: Received) -> None:
        told = received.told[: self._left]
        if not self._reader_takes or self._frames is None:
            self._unprinted += len(told)
            return
        if self._console.shares_terminal:
            self._line.clear()
        try:
            self._frames.write([frame for frame, _ in told])
        except NotTaken as rest:
            self._give_up(len(told), rest)
            told = told[: rest.whole]
        # Of the frames that were printed, and of no others.
        self._write_to_sinks(self._shown([event for _, made in told for event in made]))
        self._count(len(told))

    # --- how much --------------------------------------------------------------------------

    def _give_up(self, count: int, rest: NotTaken) -> None:
        """From here on nothing is printed: what follows would leave a hole."""
        self._reader_takes = False
        self._is_torn = rest.is_torn
        self._unprinted += count - rest.whole

    def _count_unprinted(self, shown: Sequence[AnyEvent]) -> None:
        if self._frames is None:
            self._unprinted += len(shown)

    def _count_printed(self, events: Sequence[AnyEvent]) -> None:
        if self._frames is None:
            if self._summary is not None:
                self._summary.take(events)
            self._count(len(events))

    def _count(self, printed: int) -> None:
        self._line.told(printed)
        if self._left is not None:
            self._left -= printed
            if self._left <= 0:
                raise Finished

    def _reopen(self) -> None:
        """Open log files anew after a rotation."""
        self._is_reopening_due = False
        for sink in self._sinks:
            if isinstance(sink, Reopened):
                sink.reopen()


def _silence(stream: Stream, account: str) -> float | None:
    heard = stream.last_heard(account)
    return None if heard is None else max(0.0, time.monotonic() - heard)


SEVERITY = (Exit.DONE, Exit.UNREACHABLE, Exit.REFUSED, Exit.CONFIG, Exit.USAGE, Exit.OURS)
"""From good to bad: where several accounts end differently, the worst is the exit code."""

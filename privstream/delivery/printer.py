"""The last step of a stream: prints events, says states, counts, knows when to stop.

Everything here runs in the main thread, which alone owns outputs and signals.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from privstream.delivery.signals import Terminated, raise_again
from privstream.delivery.stream import Ended, Item, Received, Stream, Told, Whole
from privstream.model.errors import Exit, PrivstreamError
from privstream.model.events import AnyEvent, Status
from privstream.model.times import from_nanos
from privstream.outputs.base import FrameOutput, Output, ReaderGone
from privstream.outputs.console import STDOUT, Format, Voice
from privstream.outputs.descriptor import can_write, discard_stdout, reader_gone

if TYPE_CHECKING:  # start-up time
    from privstream.delivery.resume_file import State

PAUSE = 0.5
"""Seconds: how often the main thread looks around when nothing comes."""


class Finished(Exception):
    """As many lines as wanted were printed, or the time is over."""


class Printer:
    """Prints the items of a stream until it is enough."""

    def __init__(
        self,
        voice: Voice,
        output: Output | None,
        frames: FrameOutput | None,
        *,
        sinks: Sequence[Output] = (),
        show_status: bool = False,
        count: int | None = None,
        duration: float | None = None,
        states: "Mapping[str, State] | None" = None,
    ) -> None:
        self._line = voice.line
        self._voice = voice
        self._output = output
        self._frames = frames
        self._sinks = sinks
        self._show_status = show_status
        self._left = count
        self._until = None if duration is None else time.monotonic() + duration
        self._worst = Exit.DONE
        if states:
            from privstream.delivery.remembering import Delivery  # noqa: PLC0415 - only with --resume

            self._delivery = Delivery(states, self._write)

    def run(self, stream: Stream) -> Exit:
        """Print until the end, whatever brings it; returns the exit code."""
        try:
            with _reopening(self._reopen), stream:
                for item in stream.items(PAUSE):
                    raise_again()
                    self._take(item)
        except Finished:
            self._print_leftovers(stream)
            return self._worst
        except (KeyboardInterrupt, Terminated):
            self._print_leftovers(stream)
            raise
        except ReaderGone:
            discard_stdout()
            return Exit.DONE
        finally:
            self._line.clear()
            for sink in self._sinks:
                sink.close()
        return self._worst

    def _print_leftovers(self, stream: Stream) -> None:
        """What had been delivered when we were told to stop, as far as the reader takes it at once."""
        self._until = None
        with suppress(Finished, ReaderGone):
            for item in stream.leftovers():
                told = item if isinstance(item, Told | list) else []
                parts = [[event] for event in told] if isinstance(told, list) else [told]
                for part in parts:
                    if self._left == 0 or not can_write(STDOUT):
                        return
                    self._take(part)

    def _take(self, item: Item | None) -> None:
        match item:
            case None:
                if reader_gone(STDOUT):
                    raise ReaderGone
            case Ended():
                self._end_of(item)
            case Received():
                self._print_frames(item.frames)
            case Told():
                self._print_and_remember(item)
            case Whole():
                self._delivery.whole(item)
            case _:
                self._print(item)
        if self._until is not None and time.monotonic() >= self._until:
            raise Finished
        self._line.draw(from_nanos(time.time_ns()))

    def _end_of(self, ended: Ended) -> None:
        error = ended.error
        if error is None:
            return
        if not isinstance(error, PrivstreamError):
            raise error
        self._voice.fail(error)
        self._worst = max(self._worst, error.exit, key=SEVERITY.index)

    def _print(self, events: list[AnyEvent]) -> None:
        if shown := self._shown(events):
            self._line.clear()
            self._write(shown)
            self._count_printed(shown)

    def _print_and_remember(self, told: Told) -> None:
        shown = self._shown(told.events)
        if shown:
            self._line.clear()
        self._delivery.deliver(told, shown)
        if shown:
            self._count_printed(shown)

    def _shown(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Those to print, of as many as are still wanted."""
        for event in events:
            # That it stopped is known to who stopped it; an error says so itself.
            if isinstance(event, Status) and event.state != "stopped":
                self._line.update(event)
        if not self._show_status:
            events = [event for event in events if not isinstance(event, Status)]
        return events[: self._left]

    def _write(self, events: Sequence[AnyEvent]) -> None:
        # First to the reader, who may have gone: then no file has what he never got.
        if self._output is not None:
            self._output.write(events)
        for sink in self._sinks:
            sink.write(events)

    def _count_printed(self, events: Sequence[AnyEvent]) -> None:
        if self._output is not None:
            self._count(len(events))
        self._line.told(len(events))

    def _print_frames(self, frames: tuple[bytes, ...]) -> None:
        if self._frames is not None:
            self._line.clear()
            some = frames[: self._left]
            self._frames.write(some)
            self._line.told(len(some))
            self._count(len(some))

    def _count(self, printed: int) -> None:
        if self._left is not None:
            self._left -= printed
            if self._left <= 0:
                raise Finished

    def _reopen(self) -> bool:
        """Open log files anew after a rotation; False where there are none."""
        found = False
        for sink in self._sinks:
            reopen = getattr(sink, "reopen", None)
            if reopen is not None:
                reopen()
                found = True
        return found


SEVERITY = (Exit.DONE, Exit.UNREACHABLE, Exit.REFUSED, Exit.CONFIG, Exit.USAGE, Exit.OURS)
"""From good to bad: where several accounts end differently, the worst is the exit code."""


@contextmanager
def _reopening(reopen: Callable[[], bool]) -> Iterator[None]:
    """SIGHUP reopens files; where there is none to reopen it ends like SIGTERM."""

    def hang_up(_signal: int, _frame: FrameType | None) -> None:
        if not reopen():
            raise Terminated

    before = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def chosen_format(chosen: Format | None, *, json: bool) -> Format:
    """Readable on a terminal, JSON lines otherwise."""
    if chosen is not None:
        return chosen
    return Format.PRETTY if os.isatty(STDOUT) and not json else Format.JSONL


def open_output(kind: Format, accounts: Sequence[str], *, no_color: bool) -> Output | None:
    """The output on stdout for events; `None` for frames."""
    if kind is Format.RAW:
        return None
    if kind is Format.JSONL:
        from privstream.outputs.jsonl import JsonLines  # noqa: PLC0415 - start-up time

        return JsonLines(STDOUT)
    from privstream.outputs.pretty import Pretty  # noqa: PLC0415 - Rich only where it draws

    return Pretty(STDOUT, no_color=no_color, accounts=accounts)

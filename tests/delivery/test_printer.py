"""What was printed when a stream ends is a prefix of what happened, in whole lines."""

import signal
import threading
from collections.abc import Iterator, Sequence
from queue import Queue
from typing import Any

import pytest

from privstream.delivery.printer import Printer
from privstream.delivery.signals import Stop, Stopped
from privstream.delivery.stream import BATCHES, Ended, Item, QueueOutlet, Received, Stream
from privstream.model.errors import Exit, Interrupted
from privstream.model.events import AnyEvent, Notice
from privstream.outputs.base import NotTaken
from privstream.outputs.console import Console

NOW = "2026-11-20T11:32:00.000000Z"


def event(name: str) -> Notice:
    return Notice("kraken", "kraken", name, None, NOW, "stream", None, "info", None, name)


def batch(*names: str) -> list[AnyEvent]:
    return [event(name) for name in names]


class Scripted:
    """A stream that tells these items, and then what is left when it is stopped."""

    lost = 0

    def __init__(self, items: Sequence[Item], left: Sequence[Item] = ()) -> None:
        self._items, self._left = items, left

    def __enter__(self) -> None:
        """Nothing is to be started."""

    def __exit__(self, *_: object) -> None:
        """Nor stopped."""

    def items(self, pause: float, gather: float) -> Iterator[Item | None]:
        del pause, gather
        yield from self._items

    def leftovers(self) -> Iterator[Item]:
        return iter(self._left)

    def wake(self) -> None:
        """Nobody waits."""


class Reader:
    """An output whose reader takes so many lines; `then` happens after each."""

    def __init__(self, takes: int = 1000, stop: Stop | None = None, at: str = "") -> None:
        self.read: list[str | None] = []
        self._takes, self._stop, self._at = takes, stop, at

    def write(self, events: Sequence[Any], /) -> None:
        for number, one in enumerate(events):
            if len(self.read) == self._takes:
                raise NotTaken(number)
            name = one.decode() if isinstance(one, bytes) else one.id
            self.read.append(name)
            if name == self._at and self._stop is not None:
                self._stop.tell(signal.SIGTERM)

    def close(self) -> None:
        """Nothing is held."""


class Sink(Reader):
    """A file that may have been moved away."""

    def __init__(self) -> None:
        super().__init__()
        self.reopened_at: list[int] = []

    def reopen(self) -> None:
        self.reopened_at.append(len(self.read))


@pytest.fixture
def stop() -> Iterator[Stop]:
    with Stop() as made:
        yield made


def run(stream: Scripted, stop: Stop, reader: Reader | None, **more: Any) -> Exit:
    printer = Printer(Console(), stop, reader, more.pop("frames", None), **more)
    return printer.run(stream)  # type: ignore[arg-type]  # all that a printer needs of a stream


LEFT: list[Item] = [batch("c", "d"), batch("e"), Ended("kraken", None)]


def test_what_had_been_delivered_when_it_was_told_to_stop_is_printed_too(stop: Stop) -> None:
    reader = Reader(stop=stop, at="a")
    with pytest.raises(Stopped):
        run(Scripted([batch("a", "b"), batch("never asked for")], LEFT), stop, reader)
    assert reader.read == ["a", "b", "c", "d", "e"]


def test_where_the_reader_stops_reading_nothing_more_is_printed_and_the_rest_is_counted(
    stop: Stop, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, sink = Reader(takes=3, stop=stop, at="a"), Sink()
    with pytest.raises(Stopped):
        run(Scripted([batch("a", "b")], LEFT), stop, reader, sinks=[sink])
    assert reader.read == sink.read == ["a", "b", "c"]
    said = "2 events were not printed: the reader did not take them\n"
    assert capsys.readouterr().err == f"privstream: {said}"


def test_a_reader_who_stops_in_a_batch_leaves_no_hole(
    stop: Stop, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(takes=1, stop=stop, at="a")
    with pytest.raises(Stopped):
        run(Scripted([batch("a", "b")], LEFT), stop, reader)
    assert reader.read == ["a"]
    assert "4 events were not printed" in capsys.readouterr().err


def test_a_time_limit_ends_it_like_a_signal_with_the_exit_code_of_the_stream(stop: Stop) -> None:
    reader = Reader()
    stop.end_after(-1)
    assert run(Scripted([batch("a"), batch("later")], [batch("b")]), stop, reader) is Exit.DONE
    assert reader.read == ["a", "b"]


def test_a_count_is_of_what_was_asked_for_and_says_nothing(
    stop: Stop, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader()
    assert run(Scripted([batch("a", "b", "c")], LEFT), stop, reader, count=2) is Exit.DONE
    assert (reader.read, capsys.readouterr().err) == (["a", "b"], "")


def frame(name: str, *events: str) -> tuple[bytes, list[AnyEvent]]:
    return name.encode(), batch(*events)


def test_a_count_of_frames_writes_their_events_and_no_others_into_a_file(stop: Stop) -> None:
    frames, sink = Reader(), Sink()
    told: list[Item] = [
        Received((frame("1", "a", "b"),)),
        Received((frame("2"), frame("3", "c"), frame("4", "d"))),
    ]
    assert run(Scripted(told), stop, None, frames=frames, sinks=[sink], count=3) is Exit.DONE
    assert (frames.read, sink.read) == (["1", "2", "3"], ["a", "b", "c"])


def test_frames_that_were_not_taken_have_no_events_in_a_file(
    stop: Stop, capsys: pytest.CaptureFixture[str]
) -> None:
    frames, sink = Reader(takes=1), Sink()
    told: list[Item] = [Received((frame("1", "a"), frame("2", "b"))), batch("c")]
    run(Scripted(told), stop, None, frames=frames, sinks=[sink])
    assert (frames.read, sink.read) == (["1"], ["a"])
    assert "1 frame was not printed" in capsys.readouterr().err


def test_a_file_is_reopened_between_two_writes_and_never_in_one(stop: Stop) -> None:
    """The handler once did it in the middle of a write, and waited for its own lock."""
    sink = Sink()

    class Rotating(Reader):
        def write(self, events: Sequence[Any], /) -> None:
            super().write(events)
            if stop.reopen is not None:
                stop.reopen()

    run(Scripted([batch("a"), batch("b", "c"), batch("d")]), stop, Rotating(), sinks=[sink])
    assert sink.reopened_at == [1, 3]
    assert stop.reopen is None


# --- the way there -------------------------------------------------------------------------


def outlet_of(room: int) -> "tuple[QueueOutlet, Queue[Item | None]]":
    queue: Queue[Item | None] = Queue(maxsize=room)
    return QueueOutlet(queue, raw=False), queue


def test_what_found_no_room_is_counted_and_nothing_goes_past_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("privstream.delivery.stream.PATIENCE", 0.001)
    outlet, queue = outlet_of(1)
    outlet.events(batch("a"))
    outlet.stop.set()
    with pytest.raises(Interrupted):
        outlet.events(batch("b", "c"))
    queue.get()
    with pytest.raises(Interrupted):  # there is room again, but "b" and "c" are missing
        outlet.events(batch("d"))
    assert (queue.empty(), outlet.lost) == (True, 3)


def test_who_is_stopped_while_he_waits_for_room_has_one_more_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outlet, queue = outlet_of(1)
    outlet.events(batch("a"))

    class Full(threading.Event):
        """Stopped in the middle of the wait; by then somebody makes room."""

        def is_set(self) -> bool:
            queue.get_nowait()
            return True

    monkeypatch.setattr(outlet, "stop", Full())
    outlet.events(batch("b"))
    assert (queue.qsize(), outlet.lost) == (1, 0)


class Talkative:
    """A supervisor that tells more at its end than the queue holds."""

    def __init__(self, outlet: QueueOutlet, count: int) -> None:
        self.stop = threading.Event()
        self.exchange: Any = Talkative
        self._outlet, self._count = outlet, count

    class account:  # noqa: N801 - as an exchange has it
        """Whose it is."""

        name = exchange = "kraken"

    def run(self) -> None:
        self.stop.wait()
        for number in range(self._count):
            self._outlet.events(batch(str(number)))

    def abort(self) -> None:
        self.stop.set()


def test_what_accounts_say_at_their_end_is_not_lost_in_a_full_queue() -> None:
    stream = Stream()
    for _ in range(3):
        outlet = stream.outlet(raw=False)
        supervisor: Any = Talkative(outlet, 2 * BATCHES)
        stream.add(supervisor, outlet)
    with stream:
        pass
    told = [item for item in stream.leftovers() if isinstance(item, list)]
    assert (len(told), stream.lost) == (6 * BATCHES, 0)

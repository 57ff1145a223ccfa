"""What is written and what is remembered do not part, whenever a signal comes."""

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import pytest

from privstream.delivery.remembering import Delivery
from privstream.delivery.resume_file import State, Whose
from privstream.delivery.signals import Terminated, take_over
from privstream.delivery.stream import Told, Whole
from privstream.memory.journal import Note
from privstream.model.events import AnyEvent, Notice
from privstream.outputs.base import ReaderGone

NOW = "2026-11-20T11:32:00.000000Z"
NS = 1_790_000_000_000_000_000


def event(name: str) -> Notice:
    return Notice("kraken", "kraken", name, None, NOW, "stream", None, "info", None, name)


def told(*names: str) -> Told:
    notes = [Note("trade", name, b"", name, lasting=False) for name in names]
    return Told("kraken", [event(name) for name in names], notes)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    path = tmp_path / "kraken.sqlite"
    with State(path, Whose("kraken", "kraken", "127.0.0.1", ("trades",)), NS) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    take_over()
    yield
    for number, usual in before.items():
        signal.signal(number, usual)


class Written:
    """Takes events; `on` says what happens while one is written."""

    def __init__(self, on: dict[str, Callable[[], object]]) -> None:
        self.names: list[str | None] = []
        self._on = on

    def __call__(self, events: Sequence[AnyEvent]) -> None:
        for one in events:
            self._on.get(one.id or "", lambda: None)()
            self.names.append(one.id)


def remembered(state: State) -> list[str]:
    return [key for _, key, _ in state.notes()]


def deliver(state: State, written: Written, batch: Told, shown: int | None = None) -> None:
    Delivery({"kraken": state}, written).deliver(batch, batch.events[:shown])


def comes(number: signal.Signals) -> Callable[[], object]:
    return lambda: signal.raise_signal(number)


@pytest.mark.parametrize(
    ("number", "end"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_while_a_line_is_written_ends_it_when_that_line_is_remembered(
    state: State, number: signal.Signals, end: type[BaseException]
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = Written({"b": comes(number)})
    with pytest.raises(end):
        deliver(state, written, told("a", "b", "c"))
    assert written.names == remembered(state) == ["a", "b"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_signal_is_obeyed_at_once(state: State) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    written = Written({"b": twice})
    with pytest.raises(Terminated):
        deliver(state, written, told("a", "b", "c"))
    assert written.names == remembered(state) == ["a"]


def test_a_hang_up_that_ends_nothing_comes_between_two_lines(state: State) -> None:
    written = Written({"a": comes(signal.SIGHUP)})
    order: list[str] = []

    def reopen(_number: int, _frame: FrameType | None) -> None:
        order.extend(name or "" for name in written.names)

    signal.signal(signal.SIGHUP, reopen)
    deliver(state, written, told("a", "b"))
    assert order == ["a"]
    assert written.names == remembered(state) == ["a", "b"]


def test_what_a_gone_reader_did_not_get_is_not_remembered(state: State) -> None:
    def gone() -> None:
        raise ReaderGone

    written = Written({"b": gone})
    with pytest.raises(ReaderGone):
        deliver(state, written, told("a", "b"))
    assert written.names == remembered(state) == ["a"]


def test_what_a_count_leaves_out_is_not_remembered(state: State) -> None:
    written = Written({})
    deliver(state, written, told("a", "b", "c"), shown=2)
    assert written.names == remembered(state) == ["a", "b"]


def test_notes_without_lines_are_remembered_too(state: State) -> None:
    batch = Told("kraken", [], [Note("symbol", "XBT/EUR", b"", None, lasting=True)])
    deliver(state, Written({}), batch)
    Delivery({"kraken": state}, Written({})).whole(Whole("kraken", NS + 7, []))
    assert remembered(state) == ["XBT/EUR"]
    assert state._resume_from() == NS + 7

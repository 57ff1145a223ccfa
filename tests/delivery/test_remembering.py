"""What is written and what is remembered do not part, whoever ends it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from privstream.delivery.remembering import Remembering
from privstream.delivery.resume_file import State, StateOwner
from privstream.delivery.stream import EventBatch, Whole
from privstream.memory.journal import Note
from privstream.model.events import AnyEvent, Notice
from privstream.outputs.base import NotTaken, ReaderGone

NOW = "2026-11-20T11:32:00.000000Z"
NS = 1_790_000_000_000_000_000


def event(name: str) -> Notice:
    return Notice("kraken", "kraken", name, None, NOW, "stream", None, "info", None, name)


def told(*names: str) -> EventBatch:
    notes = [Note("trade", name, b"", name, lasting=False) for name in names]
    return EventBatch("kraken", [event(name) for name in names], notes)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    path = tmp_path / "kraken.sqlite"
    with State(path, StateOwner("kraken", "kraken", "127.0.0.1", ("trades",)), NS) as opened:
        yield opened


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


def deliver(state: State, written: Written, batch: EventBatch, shown: int | None = None) -> None:
    Remembering({"kraken": state}, written).deliver(batch, batch.events[:shown])


def test_what_a_reader_does_not_take_any_more_is_not_remembered(state: State) -> None:
    def unread() -> None:
        raise NotTaken(0)

    written = Written({"c": unread})
    with pytest.raises(NotTaken) as caught:
        deliver(state, written, told("a", "b", "c", "d"))
    assert caught.value.whole == 2
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
    batch = EventBatch("kraken", [], [Note("symbol", "XBT/EUR", b"", None, lasting=True)])
    deliver(state, Written({}), batch)
    Remembering({"kraken": state}, Written({})).whole(Whole("kraken", NS + 7, []))
    assert remembered(state) == ["XBT/EUR"]
    assert state._resume_from() == NS + 7

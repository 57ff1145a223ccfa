"""A full buffer slows the stream down or leaves out the newest, and that is told."""

import pytest

from privstream.delivery.outbox import Line
from privstream.delivery.spool import Buffer, Spool
from privstream.model.events import Notice
from privstream.outputs.base import NotTaken

EVENT = Notice("kraken", "kraken", "n", None, "now", "stream", None, "info", None, "text")


def spool_of(*buffers: Buffer, is_told: bool = False) -> Spool:
    return Spool(buffers, lambda: is_told, lambda: None)


def test_a_line_is_the_event_without_its_line_end() -> None:
    [line] = spool_of(Buffer("a", 100, "block")).lines([EVENT])
    assert isinstance(line, Line)
    assert (line.type, line.event, line.skipped) == ("notice", "n", ())
    assert line.line.startswith(b'{"type":"notice"')
    assert line.line.endswith(b"}")


def test_whoever_must_lose_nothing_is_waited_for() -> None:
    buffer = Buffer("a", 1, "block")
    buffer.add(1)
    with pytest.raises(NotTaken):
        spool_of(buffer, is_told=True).make_room()
    buffer.add(-1)
    spool_of(buffer, is_told=True).make_room()


def test_the_newest_is_left_out_where_that_is_wanted() -> None:
    full, other = Buffer("full", 1, "drop_newest"), Buffer("other", 1 << 20, "block")
    full.add(1)
    spool = spool_of(full, other)
    spool.make_room()
    [line] = spool.lines([EVENT])
    assert line.skipped == ("full",)
    assert full.dropped == 1


def test_a_row_that_no_sink_gets_is_not_kept() -> None:
    full = Buffer("full", 1, "drop_newest")
    full.add(1)
    assert spool_of(full).lines([EVENT]) == []


def test_leaving_out_is_told_when_it_begins_and_when_it_ends() -> None:
    full = Buffer("full", 10, "drop_newest")
    spool = spool_of(full)
    assert spool.notices(EVENT) == []
    full.add(10)
    [notice] = spool.notices(EVENT)
    assert (notice.level, notice.code) == ("error", "buffer_full")
    assert "left out" in notice.text
    assert spool.notices(EVENT) == []
    spool.lines([EVENT, EVENT])
    full.add(-10)
    [notice] = spool.notices(EVENT)
    assert "misses 2 events" in notice.text

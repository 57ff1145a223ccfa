"""Events that come at one instant are shown together on a terminal."""

from itertools import islice

from privstream.delivery.stream import BATCH, Ended, Stream
from privstream.model.events import AnyEvent, Notice

NOW = "2026-11-20T11:32:00.000000Z"


def event(name: str) -> Notice:
    return Notice("kraken", "kraken", name, None, NOW, "stream", None, "info", None, name)


def stream_of(*items: list[AnyEvent] | Ended) -> Stream:
    stream = Stream(lasts=True)  # no account's thread is run
    for item in items:
        stream._queue.put_nowait(item)
    return stream


def test_what_waits_already_comes_together_and_ends_where_something_else_follows() -> None:
    end = Ended("kraken", None)
    stream = stream_of([event("1")], [event("2"), event("3")], end)
    told = list(islice(stream.items(0.0, gather=5.0), 2))
    assert told == [[event("1"), event("2"), event("3")], end]


def test_without_gathering_each_batch_comes_by_itself() -> None:
    end = Ended("kraken", None)
    told = list(islice(stream_of([event("1")], [event("2")], end).items(0.0), 3))
    assert told == [[event("1")], [event("2")], end]


def test_a_crowd_is_not_waited_for() -> None:
    many: list[AnyEvent] = [event(str(at)) for at in range(BATCH)]
    stream = stream_of(many, [event("next")])
    assert next(stream.items(0.0, gather=60.0)) == many


def test_what_was_kept_for_the_next_turn_is_left_to_who_stops() -> None:
    end = Ended("kraken", None)
    stream = stream_of([event("1")], end)
    assert next(stream.items(0.0, gather=5.0)) == [event("1")]
    assert list(stream.leftovers()) == [end]

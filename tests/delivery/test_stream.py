"""Accounts come into a running stream and leave it, and nothing of theirs is lost."""

import threading
from collections.abc import Sequence
from typing import cast

import pytest

from privstream.connection.account.supervisor import Supervisor
from privstream.delivery.stream import BATCHES, Ended, QueueOutlet, Stream
from privstream.model.errors import Interrupted
from privstream.model.events import Notice

NOW = "2026-11-20T11:32:00.000000Z"
SHORTLY = 0.01


def event(account: str, name: str) -> Notice:
    return Notice("kraken", account, name, None, NOW, "stream", None, "info", None, name)


class Named:
    """As much of an exchange as the stream looks at."""

    def __init__(self, account: str) -> None:
        self.account = self
        self.exchange = "kraken"
        self.name = account


class Scripted:
    """A supervisor that tells its events, waits until it is stopped, and tells the rest."""

    def __init__(
        self, account: str, outlet: QueueOutlet, first: Sequence[str], last: Sequence[str] = ()
    ) -> None:
        self.exchange, self.stop = Named(account), threading.Event()
        self.last_heard = None
        self.done = threading.Event()
        self._account, self._outlet = account, outlet
        self._first, self._last = first, last

    def run(self) -> None:
        for name in self._first:
            self._outlet.events([event(self._account, name)])
        self.done.set()
        self.stop.wait()
        for name in self._last:
            self._outlet.events([event(self._account, name)])
        raise Interrupted("stopped", cause="stopped")

    def abort(self) -> None:
        self.stop.set()


def join(stream: Stream, name: str, first: Sequence[str], last: Sequence[str] = ()) -> Scripted:
    outlet = stream.outlet(raw=False)
    supervisor = Scripted(name, outlet, first, last)
    stream.add(cast("Supervisor", supervisor), outlet)
    return supervisor


def told_until(stream: Stream, ended: str) -> list[str]:
    """Who told what, until an account has ended."""
    told: list[str] = []
    for item in stream.items(SHORTLY):
        if isinstance(item, list):
            told += [f"{one.account} {one.id}" for one in item]
        elif isinstance(item, Ended) and item.account == ended:
            assert item.error is None
            break
    return told


def test_an_account_joins_a_stream_that_runs() -> None:
    with Stream(lasts=True) as stream:
        join(stream, "late", ["1"])
        assert next(stream.items(5.0)) == [event("late", "1")]


def test_what_an_account_tells_as_it_leaves_comes_and_the_others_stay() -> None:
    with Stream(lasts=True) as stream:
        other = join(stream, "other", [])
        join(stream, "desk", ["1", "2"], ["3"])
        stream.leave("desk")
        assert told_until(stream, "desk") == ["desk 1", "desk 2", "desk 3"]
        assert not other.stop.is_set()


def test_an_account_that_leaves_waits_for_room_while_the_stream_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("privstream.delivery.stream.PATIENCE", 0.0001)
    with Stream(lasts=True) as stream:
        names = [str(number) for number in range(BATCHES)]
        leaving = join(stream, "desk", names, [*names, "last"])
        assert leaving.done.wait(5.0)  # the queue is full
        stream.leave("desk")
        told = told_until(stream, "desk")
        assert (len(told), told[-1], stream.lost) == (2 * BATCHES + 1, "desk last", 0)


def test_a_stream_that_lasts_goes_on_without_accounts() -> None:
    with Stream(lasts=True) as stream:
        join(stream, "desk", [])
        stream.leave("desk")
        told_until(stream, "desk")
        assert next(stream.items(SHORTLY)) is None


def test_an_account_that_left_comes_again() -> None:
    with Stream(lasts=True) as stream:
        for number in ("1", "2"):
            join(stream, "desk", [number])
            stream.leave("desk")
            assert told_until(stream, "desk") == [f"desk {number}"]
            assert stream.last_heard("desk") is None


def test_nobody_joins_a_stream_that_has_ended() -> None:
    with Stream(lasts=True) as stream:
        pass
    late = join(stream, "late", ["1"])
    assert not late.done.is_set()
    assert list(stream.leftovers()) == []

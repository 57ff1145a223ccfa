"""What a connection still had in hand when it died is told all the same."""

from collections.abc import Iterable, Iterator

import pytest

from privstream.connection.account.conversation import Conversation
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.errors import Interrupted
from privstream.model.events import AnyEvent, Gap, Order, Status, Trade
from privstream.model.reports import OrderReport
from privstream.model.rest import Now, Stamp
from privstream.model.session import TICK, Action, Reconnect, Send
from tests.fake_clock import FakeClock
from tests.joined import World

CHANNELS = frozenset({"orders", "trades"})


class Line:
    """A socket that gives out these frames at once, and takes nothing."""

    def __init__(self, *frames: bytes) -> None:
        self._frames = list(frames)
        self._controls: list[bytes | None] = []

    def receive(self, timeout: float) -> list[bytes]:
        del timeout
        frames, self._frames = self._frames, []
        return frames

    def controls(self) -> list[bytes | None]:
        controls, self._controls = self._controls, []
        return controls

    def ping(self, payload: bytes) -> None:
        """Heard by nobody."""

    def send(self, text: str) -> None:
        raise Interrupted(f"the connection broke while sending {text}")


class Names:
    """A session whose frames are ids of orders; `end` ends the connection, `say` answers it."""

    def open(self, stamp: Stamp) -> Iterable[Action]:
        del stamp
        return ()

    def receive(self, frame: bytes, now: Now) -> Iterator[Action]:
        del now
        match frame:
            case b"end":
                yield Reconnect("sequence", "a frame was lost")
            case b"say":
                yield Send("something")
            case _:
                yield order(frame.decode())

    def tick(self, now: Now) -> Iterable[Action]:
        del now
        return ()

    def patience(self, now: Now) -> float:
        del now
        return TICK

    def alive(self, now: Now, pong: bytes | None = None) -> None:
        """It is never asked."""


def order(name: str) -> OrderReport:
    terms = {"symbol": "BTC/EUR", "side": "buy", "quantity": "1", "status": "open", "filled": "0"}
    return OrderReport(name, terms)  # type: ignore[arg-type]  # as OrderFields


class Heard:
    """An outlet that keeps what it gets."""

    takes_frames = False

    def __init__(self) -> None:
        self.told: list[AnyEvent] = []

    def events(self, events: list[AnyEvent]) -> None:
        self.told += events

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Nobody wants them."""

    def whole(self, wall_ns: int) -> None:
        """Nothing is resumed."""


@pytest.mark.parametrize("last", [b"end", b"say"])
def test_what_came_in_the_same_breath_as_the_end_is_told(last: bytes) -> None:
    heard = Heard()
    ledger = Ledger(View(exchange="kraken", account="kraken", channels=CHANNELS))
    line = Line(b"O1", last, b"O2", b"O3")
    talk = Conversation(line, Names(), ledger, clock=FakeClock(), outlet=heard)
    with pytest.raises(Interrupted):
        talk.step()
    assert [event.order_id for event in heard.told if isinstance(event, Order)] == [
        "O1",
        "O2",
        "O3",
    ]


def test_what_is_no_news_is_heard_all_the_same() -> None:
    """A quiet account is not a dead connection: heartbeats and pongs count."""
    clock, line = FakeClock(), Line()
    ledger = Ledger(View(exchange="kraken", account="kraken", channels=CHANNELS))
    talk = Conversation(line, Names(), ledger, clock=clock, outlet=Heard())
    talk.step()
    assert talk.last_heard is None
    line._controls = [b"1"]
    talk.step()
    assert talk.last_heard == clock.now().monotonic
    clock.advance(30)
    talk.step()
    assert talk.last_heard == clock.now().monotonic - 30


def test_a_supervisor_knows_when_it_last_heard_of_a_connection_that_is_gone() -> None:
    run = World("kraken", seed=2, rate=4.0, limits=False).at(20, World.down, 60)
    run.watch(25)
    heard = run.supervisor.last_heard
    assert heard is not None
    assert 19 <= heard - 1000.0 <= 21


def test_a_sleep_is_noticed_after_what_came_before_it_was_told() -> None:
    heard, clock = Heard(), FakeClock()
    ledger = Ledger(View(exchange="kraken", account="kraken", channels=CHANNELS))
    line = Line()
    talk = Conversation(line, Names(), ledger, clock=clock, outlet=heard)
    talk.step()
    clock.step_wall(3600)
    line._frames = [b"O1"]
    with pytest.raises(Interrupted) as caught:
        talk.step()
    assert caught.value.cause == "suspended"
    assert len(heard.told) == 1


def test_what_was_listed_before_the_login_was_whole_is_told() -> None:
    """The second connection lists fills and orders, and dies before every channel is there."""
    run = World("kraken", seed=2, rate=4.0, limits=False).at(20, World.down, 10)

    def spoil(text: str) -> list[str]:
        is_early = 20.0 < run.clock.now().monotonic - 1000.0 < 60.0
        if is_early and '"method":"subscribe"' in text and "balances" in text:
            run.cut()
            return []
        return [text]

    run.spoil = spoil
    run.watch(220)
    lost, *_, again = [s for s in run.told(Status) if s.state in {"retrying", "catching_up"}]
    told = [event for event in run.told(Trade) if lost.received < event.received < again.received]
    assert told
    assert {trade.source for trade in told} == {"rest"}
    [gap] = run.told(Gap)
    assert gap.complete
    ids = run.told_trades()
    assert len(ids) == len(set(ids))

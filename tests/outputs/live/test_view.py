"""The view takes every event, draws now and then, obeys the keys, and ends as it began."""

import re
import threading
from typing import Any

import pytest

from privstream.model.errors import LoginRefused, PrivstreamError
from privstream.model.events import Status
from privstream.outputs.base import ReaderGone
from privstream.outputs.live.drawing import LEAVE, Drawing
from privstream.outputs.live.screen import screen
from privstream.outputs.live.view import CALM, IDLE, PACE, Run, View
from tests.outputs.output_events import NOW, ORDER, order, status, trade

ENTER = "\x1b[?1049h"


class Glass:
    """A terminal in memory: what is drawn, what is typed, and whether it takes anything."""

    size = (80, 24)

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.keys = b""
        self.takes = True
        self.is_gone = False
        self.is_closed = False

    def take_over(self, enter: str, leave: str) -> None:
        del leave
        self.shown.append(enter)

    def give_back(self) -> None:
        self.shown.append(LEAVE)

    def flush(self) -> bool:
        if self.is_gone:
            raise ReaderGone
        return self.takes

    def draw(self, frame: str) -> None:
        self.shown.append(frame)

    def typed(self) -> bytes:
        keys, self.keys = self.keys, b""
        return keys

    def close(self) -> None:
        self.is_closed = True
        self.shown.append(LEAVE)


class Beside:
    """What is said on stderr."""

    pause = 0.5

    def __init__(self) -> None:
        self.said: list[str] = []
        self.states: list[str] = []

    def update(self, told: Status) -> None:
        self.states.append(told.state)

    def told(self, count: int) -> None:
        """It counts."""

    def draw(self, now: str) -> None:
        """Never: the screen is there."""

    def clear(self) -> None:
        """Nothing is drawn."""

    def say(self, text: str, *, also_when_quiet: bool = False) -> None:
        del also_when_quiet
        self.said.append(text)

    def fail(self, error: PrivstreamError, *, as_json: bool) -> None:
        del as_json
        self.said.append(error.message)


class Desk:
    """A view with everything around it, and a clock that goes when told to."""

    def __init__(self, *, is_elsewhere: bool = False) -> None:
        self.now = 0.0
        self.glass = Glass()
        self.beside = Beside()
        self.done: list[str] = []
        run = Run(
            title="privstream kraken",
            channels={"kraken": ("orders", "trades")},
            monotonic=lambda: self.now,
            heard=lambda _: self.now - 3.0,
            quit=lambda: self.done.append("quit"),
            put_aside=lambda: self.done.append("aside"),
        )
        glass: Any = self.glass
        drawing = Drawing(colour=False)
        self.view = View(run, glass, drawing, self.beside, is_elsewhere=is_elsewhere)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.view.draw(NOW)

    def press(self, keys: bytes) -> None:
        self.glass.keys = keys
        self.after(PACE)

    @property
    def frames(self) -> list[str]:
        return [text for text in self.glass.shown if ENTER not in text and text != LEAVE]

    @property
    def frame(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.frames[-1])


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.view.update(status("live"))
    desk.after(PACE)
    return desk


def test_ten_frames_a_second_at_most_whatever_the_stream_does(desk: Desk) -> None:
    before = len(desk.frames)
    for number in range(5000):
        desk.view.write([order(order_id=f"O{number}"), trade(trade_id=f"T{number}")])
        desk.after(1 / 5000)
    assert len(desk.frames) - before <= 11
    desk.after(PACE)
    assert "10000 events" in desk.frame
    assert "Open orders 5000" in desk.frame


def test_a_slow_computer_draws_less_and_takes_everything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*given: Any) -> Any:
        desk.now += 0.1
        return screen(*given)

    monkeypatch.setattr("privstream.outputs.live.view.screen", slow)
    before = len(desk.frames)
    for number in range(1000):
        desk.view.write([order(order_id=f"O{number}")])
        desk.after(0.001)
    assert len(desk.frames) - before <= 1 + 1.5 / ((1 + IDLE) * 0.1)
    desk.after(CALM)
    assert "1000 events" in desk.frame


def test_where_nothing_comes_the_ages_go_on_once_a_second(desk: Desk) -> None:
    before = len(desk.frames)
    for _ in range(40):
        desk.after(PACE)
    assert 3 <= len(desk.frames) - before <= 5
    assert "heard 3 s" in desk.frame


def test_another_size_is_drawn_at_once(desk: Desk) -> None:
    before = len(desk.frames)
    desk.glass.size = (132, 40)
    desk.after(PACE)
    assert len(desk.frames) == before + 1
    assert desk.frame.count("\n") == 39


def test_a_terminal_that_takes_nothing_misses_frames_and_the_events_go_on(desk: Desk) -> None:
    desk.glass.takes = False
    before = len(desk.frames)
    for number in range(100):
        desk.view.write([order(order_id=f"O{number}")])
        desk.after(PACE)
    assert len(desk.frames) == before
    desk.glass.takes = True
    desk.after(PACE)
    assert "100 events" in desk.frame


def test_paused_the_panes_hold_still_and_no_event_is_lost(desk: Desk) -> None:
    desk.view.write([ORDER])
    desk.press(b"p")
    for number in range(5000):
        desk.view.write([order(order_id=f"X{number}")])
    desk.after(4.0)
    assert "PAUSED 4 s, 5000 events since" in desk.frame
    assert "X4999" not in desk.frame
    desk.press(b"p")
    assert "5001 events" in desk.frame
    assert "Open orders 5001" in desk.frame


def test_q_ends_the_run_and_keys_are_obeyed(desk: Desk) -> None:
    desk.press(b"?")
    assert "Ctrl-C" in desk.frame
    desk.press(b"?/doge\r")
    assert "filter doge" in desk.frame
    desk.press(b"\x1b")
    desk.press(b"")
    assert "filter doge" not in desk.frame
    desk.press(b"\t")
    assert "▶ 2 Fills" in desk.frame
    desk.press(b"q")
    assert desk.done == ["quit"]


def test_put_aside_the_screen_is_given_back_before_and_taken_again_after(desk: Desk) -> None:
    desk.view.aside()
    desk.after(60.0)
    *_, left, entered, frame = desk.glass.shown
    assert (left, desk.done) == (LEAVE, ["aside"])
    assert ENTER in entered
    assert "kraken" in frame


def test_gone_on_after_a_stop_that_nobody_announced_it_takes_the_screen_again(desk: Desk) -> None:
    desk.view.back()
    desk.after(PACE)
    *_, entered, frame = desk.glass.shown
    assert ENTER in entered
    assert "kraken" in frame


def test_nothing_is_taken_over_before_something_is_to_be_drawn() -> None:
    desk = Desk()
    desk.view.close()
    assert desk.glass.shown == [LEAVE]  # which a terminal that was not taken over never gets


def test_what_is_said_shows_on_the_screen_and_on_stderr_when_it_is_over(desk: Desk) -> None:
    desk.view.say("of DOGE/EUR nothing was seen")
    refused = LoginRefused("the key was refused", "check it").about("kraken", "kraken")
    desk.view.fail(refused, as_json=False)
    desk.after(PACE)
    assert "kraken: the key was refused (check it)" in desk.frame
    assert "stopped" in desk.frame
    assert desk.beside.said == []
    desk.view.close()
    assert desk.glass.is_closed
    assert desk.beside.said == ["of DOGE/EUR nothing was seen", "the key was refused"]
    desk.view.say("afterwards")
    assert desk.beside.said[-1] == "afterwards"


def test_where_stderr_is_a_file_everything_is_said_there_at_once() -> None:
    desk = Desk(is_elsewhere=True)
    desk.view.update(status("live"))
    desk.view.say("something")
    assert (desk.beside.states, desk.beside.said) == (["live"], ["something"])
    desk.view.close()
    assert desk.beside.said == ["something"]


def test_what_another_thread_says_waits_for_the_one_that_draws(desk: Desk) -> None:
    speaker = threading.Thread(target=lambda: desk.view.say("the sink takes events again"))
    speaker.start()
    speaker.join()
    desk.press(b"3")
    assert "the sink takes events again" in desk.frame
    desk.view.say("said last of all")
    desk.view.close()
    assert desk.beside.said == ["the sink takes events again", "said last of all"]


def test_details_of_other_threads_are_messages(desk: Desk) -> None:
    desk.view.note("kraken: got a token")
    desk.press(b"3")
    assert "kraken: got a token" in desk.frame


def test_a_terminal_that_is_gone_ends_the_run(desk: Desk) -> None:
    desk.glass.is_gone = True
    desk.view.write([ORDER])
    with pytest.raises(ReaderGone):
        desk.after(PACE)
    desk.view.close()


def test_closed_it_draws_no_more(desk: Desk) -> None:
    desk.view.close()
    desk.view.close()
    before = len(desk.glass.shown)
    desk.view.write([ORDER])
    desk.after(9.0)
    assert len(desk.glass.shown) == before

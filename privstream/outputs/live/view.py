"""The full-screen view: an output that keeps what stands, and draws it now and then.

The one rule: every event is taken in at once, and drawing is what waits: at most ten times a
second, and for a small part of the time only. All of it runs in the main thread, except what
says otherwise.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import inf

from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent, Status
from privstream.outputs.base import Line
from privstream.outputs.live.choices import Choices
from privstream.outputs.live.drawing import LEAVE, Drawing
from privstream.outputs.live.heads import Head
from privstream.outputs.live.keys import Keys
from privstream.outputs.live.looks import Look, age
from privstream.outputs.live.picture import Picture, Said
from privstream.outputs.live.screen import panes_of, screen
from privstream.outputs.live.terminal import Terminal

PACE = 0.1
"""Seconds from one frame to the next, at least."""
IDLE = 4
"""So many times as long as a frame took, nothing is drawn after it: the events come first."""
CALM = 1.0
"""Seconds after which it is drawn anew although nothing happened: ages go on."""
NEWS = 10.0
"""Seconds for which the last line shows what was said."""
UNSAID = 100
"""Sentences that are kept to be said on stderr at the end."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the view knows of the run that it shows."""

    title: str
    channels: Mapping[str, Sequence[str]]
    """What is streamed of each account."""
    monotonic: Callable[[], float]
    heard: Callable[[str], float | None]
    """When anything came from an account's exchange (monotonic)."""
    quit: Callable[[], None]
    """The person wants it to end."""
    put_aside: Callable[[], None]
    """Stops the process, as Ctrl-Z does; returns when it goes on."""
    masks: bool = False
    """Amounts and ids are not to be seen."""
    zone: tzinfo | None = None
    """In which times are shown; `None`: this computer's."""


class View:
    """An output, and what is said to the person meanwhile.

    `beside` says on stderr what is said here: at once where that is another place (`is_elsewhere`),
    else when the screen is given back.
    """

    pause = PACE

    def __init__(
        self,
        run: Run,
        terminal: Terminal,
        drawing: Drawing,
        beside: Line,
        *,
        is_elsewhere: bool = False,
    ) -> None:
        self._run = run
        self._terminal = terminal
        self._drawing = drawing
        self._beside = beside
        self._is_elsewhere = is_elsewhere
        self._picture = Picture(run.channels)
        self._held: Picture | None = None
        """The picture at the moment at which the panes were to hold still."""
        self._held_at = 0.0
        self._choices = Choices()
        self._keys = Keys()
        self._now = ""
        self._news: tuple[float, Said] | None = None
        self._unsaid: deque[tuple[str, bool]] = deque(maxlen=UNSAID)
        self._failed: list[tuple[PrivstreamError, bool]] = []
        self._sentences: deque[tuple[str, bool]] = deque()
        self._notes: deque[str] = deque(maxlen=UNSAID)
        self._has_news = True
        self._due = -inf
        self._drawn_at = -inf
        self._size = (0, 0)
        self._is_on = False
        self._is_over = False
        self._is_aside_due = False
        self._is_return_due = False

    # --- what comes ------------------------------------------------------------------------

    def write(self, events: Sequence[AnyEvent], /) -> None:
        """Take events in. Raises ReaderGone only when it is drawn."""
        self._picture.take(events, self._run.monotonic())
        self._has_news = True

    def update(self, status: Status) -> None:
        """A connection does something else now."""
        self._picture.update(status, self._run.monotonic())
        self._has_news = True
        if self._is_elsewhere:
            self._beside.update(status)

    def told(self, count: int) -> None:
        """So many events were taken in."""
        self._beside.told(count)

    def clear(self) -> None:
        """Nothing stands where lines would come."""

    def say(self, text: str, *, also_when_quiet: bool = False) -> None:
        """One sentence to the person; from any thread."""
        if self._is_over or self._is_elsewhere:
            self._beside.say(text, also_when_quiet=also_when_quiet)
        if not self._is_over:
            self._sentences.append((text, also_when_quiet))

    def fail(self, error: PrivstreamError, *, as_json: bool) -> None:
        """What went wrong; said on stderr in any case."""
        if self._is_over or self._is_elsewhere:
            self._beside.fail(error, as_json=as_json)
        else:
            self._failed.append((error, as_json))
        if error.account in self._picture.health:
            self._picture.ended(error.account, error.message)
        who = f"{error.account}: " if error.account else ""
        self._tell(f"{who}{error.message}" + (f" ({error.hint})" if error.hint else ""), "error")

    def note(self, text: str) -> None:
        """A detail for those who asked for more; from any thread."""
        self._notes.append(text)

    def _tell(self, text: str, level: str) -> None:
        said = Said(self._now, text, level)
        self._picture.said(said)
        self._news = (self._run.monotonic(), said)
        self._has_news = True

    # --- what other threads want -------------------------------------------------------------

    def aside(self) -> None:
        """Give the screen back and stop the process, soon; from any thread."""
        self._is_aside_due = True

    def back(self) -> None:
        """The process goes on after it was stopped, and a shell had the terminal; from any thread."""
        self._is_return_due = True

    def give_back(self) -> None:
        """The process ends now; from any thread."""
        self._terminal.give_back()

    # --- drawing ---------------------------------------------------------------------------

    def draw(self, now: str) -> None:
        """Draw, if it is time to; `now` is a time in our spelling. Raises ReaderGone."""
        monotonic = self._run.monotonic()
        if monotonic < self._due or self._is_over:
            return
        self._now = now
        if not self._is_on or self._is_return_due:
            self._begin()
        if self._is_aside_due:
            self._put_aside()
        self._obey_keys()
        self._take_sentences()
        began = self._run.monotonic()
        self._due = began + PACE
        if self._is_changed(began) and self._terminal.flush():
            self._draw(began)
            took = self._run.monotonic() - began
            self._due += min(CALM, IDLE * took)

    def _is_changed(self, monotonic: float) -> bool:
        return (
            self._has_news
            or monotonic - self._drawn_at >= CALM
            or self._terminal.size != self._size
        )

    def _draw(self, monotonic: float) -> None:
        self._picture.forget(monotonic)
        for name, health in self._picture.health.items():
            health.heard = self._run.heard(name)
        shown = self._held or self._picture
        self._choices.offer(panes_of(shown))
        cells, lines = self._size = self._terminal.size
        look = Look(
            now=datetime.fromisoformat(self._now),
            monotonic=monotonic,
            cells=cells,
            lines=lines,
            zone=self._run.zone,
            masks=self._run.masks,
            many=len(self._picture.health) > 1,
        )
        drawn = screen(shown, self._choices, look, self._head(monotonic))
        self._choices.offsets, self._choices.page = drawn.offsets, drawn.page
        self._terminal.draw(self._drawing.frame(drawn.lines, cells, lines))
        self._drawn_at, self._has_news = monotonic, False

    def _head(self, monotonic: float) -> Head:
        paused = ""
        if self._held is not None:
            since = self._picture.events - self._held.events
            paused = f"PAUSED {age(monotonic - self._held_at)}, {since} events since"
        news = self._news
        is_new = news is not None and monotonic - news[0] < NEWS
        return Head(self._run.title, paused, news[1] if news is not None and is_new else None)

    def _take_sentences(self) -> None:
        """What other threads may have said is shown by this one."""
        while self._notes:
            self._picture.said(Said(self._now, self._notes.popleft(), "info"))
            self._has_news = True
        while self._sentences:
            text, also_when_quiet = self._sentences.popleft()
            self._tell(text, "warning")
            if not self._is_elsewhere:
                self._unsaid.append((text, also_when_quiet))

    # --- keys ------------------------------------------------------------------------------

    def _obey_keys(self) -> None:
        for key in self._keys.take(self._terminal.typed()):
            self._has_news = True
            match self._choices.press(key):
                case "quit":
                    self._run.quit()
                case "pause":
                    self._hold_still()
                case "redraw":
                    self._is_return_due = True

    def _hold_still(self) -> None:
        self._held_at = self._run.monotonic()
        self._held = self._picture.frozen() if self._held is None else None

    # --- the screen ------------------------------------------------------------------------

    def _begin(self) -> None:
        self._is_on, self._is_return_due = True, False
        self._drawing.end()
        self._terminal.take_over(self._drawing.begin(), LEAVE)
        self._has_news = True

    def _put_aside(self) -> None:
        self._is_aside_due = False
        self._terminal.give_back()
        self._run.put_aside()
        self._begin()

    def close(self) -> None:
        """Give the screen back, and say what was said meanwhile."""
        if self._is_over:
            return
        self._take_sentences()
        self._is_over = True
        self._drawing.end()
        self._terminal.close()
        for text, also_when_quiet in self._unsaid:
            self._beside.say(text, also_when_quiet=also_when_quiet)
        for error, as_json in self._failed:
            self._beside.fail(error, as_json=as_json)

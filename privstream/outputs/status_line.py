"""What is said to a person on stderr: what the connections do, and what went wrong.

The one rule: "Ready" is said when a connection is live, at no other time.
"""

import os
from collections.abc import Callable, Iterator
from typing import TextIO

from privstream.model.errors import PrivstreamError
from privstream.model.events import State, Status
from privstream.model.exact import ascii_line, encode
from privstream.model.times import to_nanos
from privstream.outputs.calendar import Calendar
from privstream.outputs.layout import flowing
from privstream.outputs.progress import timeline
from privstream.outputs.safe_text import MAX_CELLS, safe_text, shorten, width
from privstream.outputs.stderr import Stderr

_NAME_CELLS = 64
_SHORT_REASON = 24
_NANOS = 1_000_000_000
WAITING = "waiting for its turn"
"""Begins the detail of an account that may not connect yet because others do."""
PROGRESS_EVERY = 10
"""Seconds from one sentence on how far reading back is to the next, where no line is redrawn."""
_TENTHS = len("2026-11-20T11:32:00.1")
"""The line is redrawn when this much of the time has changed."""
_LONG = 10
"""Seconds of silence after which it is said whose."""
_CLEAR = "\r\x1b[K"
_WORST_FIRST: tuple[State, ...] = ("stopped", "retrying", "connecting", "catching_up", "live")
_SIGNS: dict[State, tuple[str, str]] = {
    "stopped": ("■", "31"),
    "retrying": ("↻", "30;43"),
    "connecting": ("◌", "36"),
    "catching_up": ("◐", "36"),
    "live": ("●", "32"),
}


class StatusLine:
    """Speaks to a person; the main thread's alone.

    `animated` (only where stderr is a terminal) keeps one line at the bottom: clear() it before
    events are printed there, draw() it again after. Otherwise each change of state is a line of
    its own. `quiet` leaves all but errors unsaid. Without `colour` no escape sequence is written.
    """

    pause = 0.5

    def __init__(
        self,
        stream: TextIO | None,
        *,
        animated: bool,
        quiet: bool,
        colour: bool = True,
        calendar: Calendar | None = None,
        stamp: Callable[[], str] | None = None,
    ) -> None:
        self._stream = stream
        self._stderr = Stderr(stream, stamp)
        self._quiet = quiet
        self._animated = animated and not quiet
        self._colour = colour
        self._calendar = calendar or Calendar()
        self._accounts: dict[str, Status] = {}
        self._events = 0
        self._told = False
        self._last = ""
        self._drawn = ""
        self._drawn_at = ""
        self._said_at: dict[str, str] = {}
        """When it was last said of an account how far reading back is."""
        self.silent_for: Callable[[str], float | None] = _unknown
        """For how many seconds nothing has come from the exchange of an account."""

    def update(self, status: Status) -> None:
        """A connection does something else now."""
        name = safe_text(status.account, _NAME_CELLS)
        before = self._accounts.get(name)
        self._accounts[name] = status
        if self._animated and status.state != "live":
            return  # the line at the bottom says it
        if sentence := _sentence(status, before) or self._progress(status, name):
            self.say(f"{name}: {sentence}")
            self._said_at[name] = status.received

    def _progress(self, status: Status, name: str) -> str | None:
        """How far reading back is, now and then."""
        said = self._said_at.get(name, "")
        if status.state != "catching_up" or _is_within(PROGRESS_EVERY, said, status.received):
            return None
        return _detail(status)

    def told(self, count: int) -> None:
        """So many events were printed."""
        self._events += count
        self._told = self._told or count > 0

    def draw(self, now: str) -> None:
        """Show the line at the bottom as it is `now`, a time in our spelling."""
        if self._told:
            self._told, self._last = False, self._calendar.time_of_day(now)
        if not self._animated or not self._accounts:
            return
        if self._drawn and now[:_TENTHS] == self._drawn_at:
            return
        line = self._line(now)
        if line != self._drawn:
            self._write(self._clearing() + self._coloured(line))
            self._drawn, self._drawn_at = line, now[:_TENTHS]

    def clear(self) -> None:
        """Take the line at the bottom away, to make room for other lines."""
        if self._drawn:
            self._write(self._clearing())
            self._drawn = ""

    def _clearing(self) -> str:
        if self._colour:
            return _CLEAR
        return f"\r{' ' * width(self._drawn)}\r" if self._drawn else ""

    def _coloured(self, line: str) -> str:
        if self._colour:
            for sign, colour in _SIGNS.values():
                line = line.replace(f"{sign} ", f"\x1b[{colour}m{sign}\x1b[0m ")
        return line

    def say(self, text: str, *, also_when_quiet: bool = False) -> None:
        """One sentence to a person."""
        if also_when_quiet or not self._quiet:
            self._say(text)

    def fail(self, error: PrivstreamError, *, as_json: bool) -> None:
        """What went wrong, in one line, and what to do about it. Also said when quiet."""
        if as_json:
            self.clear()
            self._write(_json(error) + "\n")
            return
        who = error.account or error.exchange
        hint = f" ({error.hint})" if error.hint else ""
        self._say(f"{f'{who}: ' if who else ''}{error.message}{hint}")

    def _say(self, text: str) -> None:
        self.clear()
        text = f"privstream: {safe_text(text)}"
        columns = self._columns_of_terminal()
        self._write((flowing(text, columns) if columns else text) + "\n")

    def _write(self, text: str) -> None:
        self._stderr.write(text)

    # --- the line at the bottom --------------------------------------------------------

    def _line(self, now: str) -> str:
        room = self._columns() - 1
        # Which channels is said where one account leaves room for it.
        for says_channels in (len(self._accounts) == 1, False):
            line = "  ".join(self._parts(now, says_channels=says_channels))
            if width(line) <= room:
                return line
        return shorten(line, room)

    def _parts(self, now: str, *, says_channels: bool) -> Iterator[str]:
        # Among several accounts a reason leaves room for the others.
        cells = MAX_CELLS if len(self._accounts) == 1 else _SHORT_REASON
        for state in _WORST_FIRST:
            yield from _segments(state, self._of_state(state), now, cells)
        if says_channels:
            yield from filter(None, map(_detail, self._of_state("live").values()))
        yield from self._heard()
        if self._events:
            yield f"{self._events} event{'s' if self._events > 1 else ''}"
            yield f"last {self._last}"

    def _heard(self) -> Iterator[str]:
        """How long the quietest of the live accounts has said nothing, not even that it lives."""
        silent = {name: self.silent_for(name) for name in self._of_state("live")}
        known = {name: seconds for name, seconds in silent.items() if seconds is not None}
        if known:
            name = max(known, key=known.__getitem__)
            whose = f" ({name})" if len(known) > 1 and known[name] >= _LONG else ""
            yield f"heard {int(known[name])} s ago{whose}"

    def _of_state(self, state: State) -> dict[str, Status]:
        return {name: status for name, status in self._accounts.items() if status.state == state}

    def _columns(self) -> int:
        return self._columns_of_terminal() or 80

    def _columns_of_terminal(self) -> int:
        """0 where it is none, or one that does not know."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns if self._stream else 0
        except (OSError, ValueError):
            return 0


def _unknown(_account: str) -> None:
    return None


def _is_within(seconds: float, since: str, now: str) -> bool:
    return bool(since) and to_nanos(now) - to_nanos(since) < seconds * _NANOS


def _segments(state: State, accounts: dict[str, Status], now: str, cells: int) -> list[str]:
    if not accounts:
        return []
    sign = _SIGNS[state][0]
    if state == "live":
        return [f"{sign} live", " ".join(accounts)]
    if state == "retrying":
        return [f"{sign} {name} {_retry(status, now, cells)}" for name, status in accounts.items()]
    if state == "catching_up":
        return [_reading(sign, name, status, now) for name, status in accounts.items()]
    word = "connecting …" if state == "connecting" else state
    return [f"{sign} {' '.join(accounts)} {word}"]


def _reading(sign: str, name: str, status: Status, now: str) -> str:
    place = timeline(status.detail or "", now)
    return f"{sign} {name} {place}{' ' * bool(place)}{_detail(status)} …"


def _retry(status: Status, now: str, cells: int) -> str:
    left = _seconds_left(status, now)
    when = f"retrying in {left} s" if left else "retrying"
    reason = f": {shorten(_detail(status), cells)}" if status.detail else ""
    attempt = f" (attempt {status.attempt})" if status.attempt is not None else ""
    return f"{when}{reason}{attempt}"


def _seconds_left(status: Status, now: str) -> int:
    if status.retry_in is None:
        return 0
    passed = (to_nanos(now) - to_nanos(status.received)) / _NANOS
    return max(0, round(status.retry_in - max(0.0, passed)))


def _detail(status: Status) -> str:
    return safe_text(status.detail or "", MAX_CELLS)


# --- sentences -------------------------------------------------------------------------


def _sentence(status: Status, before: Status | None) -> str | None:
    """What to say of a change, or `None` where nothing changed that is worth a line."""
    was = before.state if before else None
    detail = _detail(status)
    match status.state:
        case "live":
            return None if was == "live" else "Ready" + (f": {detail}" if detail else "")
        case "connecting":
            # After "trying again in 1.2 s" it goes without saying.
            return None if was in {"connecting", "retrying"} else "connecting"
        case "catching_up":
            return None if was == "catching_up" else detail
        case "retrying":
            return _lost(status, detail, was_live=was in {"live", "catching_up"})
        case "stopped":
            return None if was == "stopped" else "stopped" + (f": {detail}" if detail else "")


def _lost(status: Status, detail: str, *, was_live: bool) -> str:
    if detail.startswith(WAITING):
        return detail if status.retry_in is None else f"{detail}; in {status.retry_in:.0f} s"
    what = "connection lost" if was_live else "cannot connect"
    reason = f" ({detail})" if detail else ""
    when = "" if status.retry_in is None else f" in {status.retry_in:.1f} s"
    return f"{what}{reason}, trying again{when}"


def _json(error: PrivstreamError) -> str:
    said = {
        "error": error.category,
        "exchange": _encodable(error.exchange),
        "account": _encodable(error.account),
        "message": _encodable(error.message),
        "hint": _encodable(error.hint),
        "retryable": error.retryable,
    }
    return ascii_line(encode(said)).decode()


def _encodable(text: str | None) -> str | None:
    """Without the lone surrogates that a file name may hold and UTF-8 may not."""
    return None if text is None else text.encode(errors="backslashreplace").decode()

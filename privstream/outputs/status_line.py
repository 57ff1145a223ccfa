"""What is said to a person on stderr: what the connections do, and what went wrong.

The one rule: "Ready" is said when a connection is live, at no other time.
"""

import os
from typing import TextIO

from privstream.model.errors import PrivstreamError
from privstream.model.events import State, Status
from privstream.model.exact import ascii_line, encode
from privstream.model.times import to_nanos
from privstream.outputs.safe_text import MAX_CELLS, safe_text, shorten
from privstream.outputs.stderr import Stderr

_NAME_CELLS = 64
_SHORT_REASON = 24
_NANOS = 1_000_000_000
WAITING = "waiting for its turn"
"""Begins the detail of an account that may not connect yet because others do."""
_CLEAR = "\r\x1b[K"
_WORST_FIRST: tuple[State, ...] = ("stopped", "retrying", "connecting", "catching_up", "live")
_SIGNS: dict[State, tuple[str, str]] = {
    "stopped": ("■", "31"),
    "retrying": ("↻", "33"),
    "connecting": ("◌", "36"),
    "catching_up": ("◐", "36"),
    "live": ("●", "32"),
}


class StatusLine:
    """Speaks to a person; the main thread's alone.

    `animated` (only where stdout and stderr are terminals) keeps one line at the bottom:
    clear() it before events are printed there, draw() it again after. Otherwise each change
    of state is a line of its own. `quiet` leaves all but errors unsaid.
    """

    pause = 0.5

    def __init__(self, stream: TextIO | None, *, animated: bool, quiet: bool) -> None:
        self._stream = stream
        self._stderr = Stderr(stream)
        self._quiet = quiet
        self._animated = animated and not quiet
        self._accounts: dict[str, Status] = {}
        self._events = 0
        self._told = False
        self._last = ""
        self._drawn = ""

    def update(self, status: Status) -> None:
        """A connection does something else now."""
        name = safe_text(status.account, _NAME_CELLS)
        before = self._accounts.get(name)
        self._accounts[name] = status
        if self._animated and status.state != "live":
            return  # the line at the bottom says it
        if sentence := _sentence(status, before):
            self.say(f"{name}: {sentence}")

    def told(self, count: int) -> None:
        """So many events were printed."""
        self._events += count
        self._told = self._told or count > 0

    def draw(self, now: str) -> None:
        """Show the line at the bottom as it is `now`, a time in our spelling."""
        if self._told:
            self._told, self._last = False, now[11:19]
        if not self._animated or not self._accounts:
            return
        line = self._line(now)
        if line != self._drawn:
            self._write(_CLEAR + line)
            self._drawn = line

    def clear(self) -> None:
        """Take the line at the bottom away, to make room for other lines."""
        if self._drawn:
            self._write(_CLEAR)
            self._drawn = ""

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
        self._write(f"privstream: {safe_text(text)}\n")

    def _write(self, text: str) -> None:
        self._stderr.write(text)

    # --- the line at the bottom --------------------------------------------------------

    def _line(self, now: str) -> str:
        # Among several accounts a reason leaves room for the others.
        cells = MAX_CELLS if len(self._accounts) == 1 else _SHORT_REASON
        parts = [
            part
            for state in _WORST_FIRST
            for part in _segments(state, self._of_state(state), now, cells)
        ]
        if self._events:
            parts.append(f"{self._events} event{'s' if self._events > 1 else ''}")
            parts.append(f"last {self._last}")
        text = shorten("  ".join(parts), self._columns() - 1)
        for sign, colour in _SIGNS.values():
            text = text.replace(f"{sign} ", f"\x1b[{colour}m{sign}\x1b[0m ")
        return text

    def _of_state(self, state: State) -> dict[str, Status]:
        return {name: status for name, status in self._accounts.items() if status.state == state}

    def _columns(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns if self._stream else 0
        except (OSError, ValueError):
            columns = 0
        return columns or 80


def _segments(state: State, accounts: dict[str, Status], now: str, cells: int) -> list[str]:
    if not accounts:
        return []
    sign = _SIGNS[state][0]
    if state == "live":
        # One account has room to say which channels.
        channels = [_detail(status) for status in accounts.values()] if len(accounts) == 1 else []
        return [f"{sign} live", " ".join(accounts), *filter(None, channels)]
    if state == "retrying":
        return [f"{sign} {name} {_retry(status, now, cells)}" for name, status in accounts.items()]
    if state == "catching_up":
        return [f"{sign} {name} {_detail(status)} …" for name, status in accounts.items()]
    word = "connecting …" if state == "connecting" else state
    return [f"{sign} {' '.join(accounts)} {word}"]


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

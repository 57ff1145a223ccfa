"""Telling a person who is not looking: by the desktop's notifications, or the terminal's bell.

The one rule: it never holds up the stream and never ends it. What the desktop does not take in time
is told together with what comes next.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from html import escape

from privstream.model.errors import UsageError
from privstream.outputs.safe_text import safe_text

TITLE = "privstream"
PAUSE, LONGEST = 2.0, 30.0
"""Seconds from one notification to the next: a burst of fills is one, and a storm that goes on is
told ever more rarely, with how many there were."""
LIMIT = 5.0
"""Seconds that the desktop's program has for one."""
SHOWN = 4
"""Lines of one; the others are counted."""
CELLS = 200
NEEDED = ("PATH", "HOME", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")
BUS = "DBUS_SESSION_BUS_ADDRESS"
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


class Way(StrEnum):
    """How somebody is told."""

    DESKTOP = "desktop"
    BELL = "bell"


Show = Callable[[Sequence[str]], str | None]
"""Shows lines that hold nothing foreign; returns why it could not, if it could not."""


class Bell:
    """Rings the terminal."""

    trouble: str | None = None
    """A bell says nothing of itself."""

    def __init__(self, ring: Callable[[], None], monotonic: Callable[[], float]) -> None:
        self._ring = ring
        self._monotonic = monotonic
        self._rung = float("-inf")

    def tell(self, text: str, *, urgent: bool = False) -> None:
        """Ring, whatever there is to be told, unless it has just rung."""
        del text, urgent
        if self._monotonic() - self._rung >= PAUSE:
            self._rung = self._monotonic()
            self._ring()

    def end(self) -> None:
        """Nothing is held."""


class _Waiting:
    """What is to be shown next: some lines, what is urgent before all else, and how many in all."""

    def __init__(self) -> None:
        self._urgent: list[str] = []
        self._others: list[str] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, text: str, *, urgent: bool) -> None:
        """A storm that lasts takes no more memory than a burst."""
        lines = self._urgent if urgent else self._others
        if len(lines) < SHOWN:
            lines.append(text)
        self._count += 1

    def lines(self) -> list[str]:
        """As many as one notification has."""
        lines = [*self._urgent, *self._others]
        if self._count <= SHOWN:
            return lines
        return [*lines[: SHOWN - 1], f"and {self._count - SHOWN + 1} more"]


class Desktop:
    """Shows notifications, one after the other, in a thread of its own."""

    def __init__(self, show: Show, *, pause: float = PAUSE) -> None:
        self.trouble: str | None = None
        """Why the last one could not be shown."""
        self._show = show
        self._pause = pause
        self._waiting = _Waiting()
        self._changed = threading.Condition()
        self._is_over = False
        self._thread: threading.Thread | None = None

    def tell(self, text: str, *, urgent: bool = False) -> None:
        """Show it soon; never waits."""
        with self._changed:
            self._waiting.add(safe_text(text, CELLS), urgent=urgent)
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Show what waits, as far as that is quick."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=self._pause)

    def _run(self) -> None:
        pause = self._pause
        while lines := self._next():
            self.trouble = self._show(lines)
            with self._changed:
                if not self._is_over:
                    self._changed.wait_for(lambda: self._is_over, pause)
                goes_on = bool(self._waiting)
            pause = longer(pause) if goes_on else self._pause

    def _next(self) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over)
            waiting, self._waiting = self._waiting, _Waiting()
            return waiting.lines()


def longer(pause: float) -> float:
    """The next pause in a storm that goes on."""
    return min(2 * pause, max(pause, LONGEST))


def way_of(text: str) -> Way:
    """The way that `--notify` names. Raises UsageError."""
    try:
        return Way(text)
    except ValueError:
        names = " or ".join(Way)
        raise UsageError(f"--notify takes {names}, not {text[:40]!r}") from None


def desktop_program(variables: Mapping[str, str]) -> Show | None:
    """What shows notifications on this computer; `None` where there is nothing that does."""
    path = variables.get("PATH")
    environment = {name: variables[name] for name in (*NEEDED, BUS) if name in variables}
    if program := shutil.which("notify-send", path=path):
        return _runs(partial(_notify_send, program), environment)
    if program := shutil.which("osascript", path=path):
        return _runs(partial(_osascript, program), environment)
    return None


def _notify_send(program: str, lines: Sequence[str]) -> list[str]:
    # Its body is read as markup by most desktops: nothing foreign may be any.
    body = escape("\n".join(lines), quote=False)
    return [program, f"--app-name={TITLE}", "--", TITLE, body]


def _osascript(program: str, lines: Sequence[str]) -> list[str]:
    script = [word for line in _SCRIPT for word in ("-e", line)]
    return [program, *script, TITLE, " · ".join(lines)]


def _runs(words: Callable[[Sequence[str]], list[str]], environment: Mapping[str, str]) -> Show:
    """Shows lines by a program, which gets no variable that it does not need."""

    def show(lines: Sequence[str]) -> str | None:
        command = words(lines)
        try:
            done = subprocess.run(  # noqa: S603 - found in PATH; the texts are no options
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=LIMIT,
                check=False,
                cwd=os.sep,
            )
        except subprocess.TimeoutExpired:
            return f"{command[0]} shows nothing"
        except OSError as problem:
            return f"{command[0]}: {problem.strerror}"
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        return f"{command[0]}: {said or 'failed'}" if done.returncode else None

    return show

"""Telling a person who is not looking: by the desktop's notifications, or the terminal's bell.

The one rule: it never holds up the stream and never ends it. What the desktop does not take in time
is told together with what comes next.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from html import escape

from privstream.model.errors import UsageError
from privstream.outputs.safe_text import safe_text

TITLE = "privstream"
PAUSE = 2.0
"""Seconds from one notification to the next: a burst of fills is one."""
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


Show = Callable[[Sequence[str]], None]
"""Shows lines that hold nothing foreign."""


class Bell:
    """Rings the terminal."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def tell(self, text: str) -> None:
        """Ring, whatever there is to be told."""
        del text
        self._ring()

    def end(self) -> None:
        """Nothing is held."""


class Desktop:
    """Shows notifications, one after the other, in a thread of its own."""

    def __init__(self, show: Show, *, pause: float = PAUSE) -> None:
        self._show = show
        self._pause = pause
        self._waiting: list[str] = []
        self._changed = threading.Condition()
        self._is_over = False
        self._thread: threading.Thread | None = None

    def tell(self, text: str) -> None:
        """Show it soon; never waits."""
        with self._changed:
            self._waiting.append(safe_text(text, CELLS))
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
        while lines := self._next():
            self._show(_shortened(lines))
            with self._changed:
                if not self._is_over:
                    self._changed.wait_for(lambda: self._is_over, self._pause)

    def _next(self) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over)
            lines, self._waiting = self._waiting, []
            return lines


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= SHOWN:
        return lines
    return [*lines[: SHOWN - 1], f"and {len(lines) - SHOWN + 1} more"]


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

    def show(lines: Sequence[str]) -> None:
        with suppress(OSError, subprocess.SubprocessError):  # a desktop that is not there
            subprocess.run(  # noqa: S603 - found in PATH; the texts are no options
                words(lines),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=LIMIT,
                check=False,
                cwd=os.sep,
            )

    return show

"""Opens the full-screen view of `--live`, and joins it with the run: its signals, its clock, its end."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import _exit
from typing import TYPE_CHECKING

from privstream.app.environment import Environment
from privstream.outputs.console import STDOUT
from privstream.outputs.live.terminal import Terminal

if TYPE_CHECKING:  # they know each other
    from privstream.app.watch import Request, Watched
    from privstream.outputs.live.view import View

KILLED = 128
"""Added to the number of a signal it is the exit code that a shell shows."""


@contextmanager
def opened(
    environment: Environment, request: "Request", watched: "Watched"
) -> "Iterator[View | None]":
    """The view, given back at the end; `None`, and a sentence why, where there can be none."""
    why = environment.why_no_screen
    terminal = None
    if why is None:
        try:
            terminal = Terminal(STDOUT)
        except OSError as problem:
            why = f"the terminal cannot be opened: {problem.strerror}"
    if terminal is None:
        environment.console.say(f"--live: {why}; here are lines")
        yield None
        return
    with ExitStack() as end:
        view = _view(environment, request, watched, terminal)
        end.callback(view.close)
        environment.console.show_on(view)
        end.enter_context(_signals(environment, view))
        yield view


def _view(
    environment: Environment, request: "Request", watched: "Watched", terminal: Terminal
) -> "View":
    from privstream.outputs.live.drawing import Drawing  # noqa: PLC0415 - Rich only where it draws
    from privstream.outputs.live.view import Run, View  # noqa: PLC0415

    run = Run(
        title=f"privstream {request.exchange}{' (simulated)' if request.simulate else ''}",
        channels=watched.channels,
        monotonic=time.monotonic,
        heard=watched.stream.last_heard,
        quit=environment.stop.tell,
        put_aside=environment.stop.put_aside,
        masks=request.privacy,
        zone=environment.zone,
    )
    drawing = Drawing(colour=environment.colour, ascii_only=environment.ascii_only)
    console = environment.console
    return View(run, terminal, drawing, console.line, is_elsewhere=not console.is_on_terminal)


@contextmanager
def _signals(environment: Environment, view: "View") -> Iterator[None]:
    """Whatever ends or stops the process gives the terminal back before."""
    stop = environment.stop
    said_before = stop.last_words

    def last_words() -> None:
        view.give_back()
        said_before()

    def quit_at_once() -> None:
        view.give_back()
        _exit(KILLED + signal.SIGQUIT)

    stop.last_words = last_words
    obeyed = {
        signal.SIGTSTP: view.aside,
        signal.SIGCONT: view.back,
        signal.SIGQUIT: quit_at_once,
    }
    try:
        with stop.hearing(obeyed):
            yield
    finally:
        stop.last_words = said_before

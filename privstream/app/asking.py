"""Questions to a person at a terminal, and secrets read from standard input.

The one rule: questions go to stderr, and a secret is never shown, neither typed nor read back.
"""

import select
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from typing import TextIO, cast

from privstream.delivery.signals import Stop
from privstream.model.account import Secret
from privstream.model.errors import UsageError
from privstream.outputs.console import Console
from privstream.settings.credentials import SECRET_LIMIT

DOTS = 40
"""How many stand at most for what was typed."""
_ECHO = 3
"""Where the flag stands in what `tcgetattr` tells."""


class Person:
    """Who started the program, as far as somebody sits at a terminal."""

    def __init__(self, console: Console, stop: Stop, stdin: TextIO) -> None:
        self._console = console
        self._stop = stop
        self._stdin = stdin

    def is_there(self) -> bool:
        """Whether somebody can be asked: both stdin and stderr are terminals."""
        return self._stdin.isatty() and self._console.is_terminal

    def line(self, question: str, default: str = "") -> str:
        """What is typed in one line, or the default for an empty one."""
        shown = f" [{default}]" if default else ""
        line = self._typed(f"{question}{shown}: ")
        if not line:
            self._console.ask("\n")
            raise UsageError("there was no answer", "nothing was changed")
        return line.strip() or default

    def choice(self, question: str, choices: Sequence[str], default: str) -> str:
        """One of the choices."""
        while (chosen := self.line(question, default)) not in choices:
            self._console.ask(f"  one of: {', '.join(choices)}\n")
        return chosen

    def yes(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        answers = {"y": True, "yes": True, "n": False, "no": False, "": default}
        shown = f"{question} [{'Y/n' if default else 'y/N'}]"
        while (typed := self.line(shown).lower()) not in answers:
            self._console.ask("  y or n\n")
        return answers[typed]

    def secret(self, question: str) -> Secret:
        """What is typed without being shown, without the blanks that pasting brings along."""
        with _unseen(self._stdin):
            typed = Secret(self._typed(f"{question} (not shown): "))
            secret = Secret(typed.reveal().strip())
            self._console.ask(f"{_length(secret)}\n")
        if not typed.reveal():
            raise UsageError("there was no answer", "use --from-stdin; nothing was changed")
        return secret

    def secrets_from_stdin(self) -> list[Secret]:
        """The lines of standard input, without blanks around them; empty ones at the end left out."""
        # Latin-1 takes every byte; what is not ASCII is refused by the check of the secret.
        text = Secret(self._whole_stdin().decode("latin-1"))
        if len(text.reveal()) > SECRET_LIMIT:
            raise UsageError(f"standard input holds more than {SECRET_LIMIT} bytes")
        return [Secret(line.strip()) for line in text.reveal().rstrip().splitlines()]

    def _typed(self, question: str) -> str:
        """A line with its end, or "" where there is none any more."""
        self._console.ask(question)
        try:
            self._await_input()
            return self._stdin.readline()
        except BaseException:
            self._console.ask("\n")  # the shell's prompt is not to stand behind our question
            raise

    def _whole_stdin(self) -> bytes:
        stdin, read = cast("BufferedReader", self._stdin.buffer), bytearray()
        while len(read) <= SECRET_LIMIT:
            self._await_input()
            if not (some := stdin.read1(SECRET_LIMIT)):
                break
            read += some
        return bytes(read)

    def _await_input(self) -> None:
        """Wait for something to read. Raises Stopped where the program is told to stop first."""
        try:
            fd = self._stdin.fileno()
        except (OSError, ValueError):  # a text that stands in for it has it all there already
            return
        both = select.poll()
        both.register(fd, select.POLLIN)
        both.register(self._stop.fd, select.POLLIN)
        both.poll()
        self._stop.check()


def _length(secret: Secret) -> str:
    """Whether all of what was pasted came, without showing any of it."""
    count = len(secret.reveal())
    return f"{'.' * min(count, DOTS)} {count} character{'s' * (count != 1)}" if count else ""


@contextmanager
def _unseen(terminal: TextIO) -> Iterator[None]:
    """The terminal shows nothing of what is typed in the block."""
    try:
        before = termios.tcgetattr(terminal)
        unseen = [*before]
        unseen[_ECHO] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSAFLUSH, unseen)
    except (termios.error, OSError, ValueError):
        hint = "use --from-stdin; nothing was changed"
        raise UsageError("this terminal shows what is typed", hint) from None
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)

"""Questions to a person at a terminal, and secrets read from standard input.

The one rule: questions go to stderr, and a secret is never shown, neither typed nor read back.
"""

import getpass
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from privstream.model.account import Secret
from privstream.model.errors import UsageError
from privstream.settings.credentials import SECRET_LIMIT


def somebody_there() -> bool:
    """Whether a person can be asked: both stdin and stderr are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def ask_line(question: str, default: str = "") -> str:
    """What is typed in one line, or the default for an empty one."""
    shown = f" [{default}]" if default else ""
    sys.stderr.write(f"{question}{shown}: ")
    sys.stderr.flush()
    with _ctrl_c_ends_the_line():
        line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        raise UsageError("there was no answer", "nothing was changed")
    return line.strip() or default


def ask_choice(question: str, choices: Sequence[str], default: str) -> str:
    """One of the choices."""
    while (chosen := ask_line(question, default)) not in choices:
        sys.stderr.write(f"  one of: {', '.join(choices)}\n")
    return chosen


def ask_yes(question: str, *, default: bool) -> bool:
    """Yes or no."""
    answers = {"y": True, "yes": True, "n": False, "no": False, "": default}
    while (typed := ask_line(f"{question} [{'Y/n' if default else 'y/N'}]").lower()) not in answers:
        sys.stderr.write("  y or n\n")
    return answers[typed]


def ask_secret(question: str) -> Secret:
    """What is typed without being shown, without the blanks that pasting brings along."""
    with warnings.catch_warnings(), _ctrl_c_ends_the_line():
        # It would go on and show what is typed.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return Secret(getpass.getpass(f"{question} (not shown): ").strip())
        except getpass.GetPassWarning:
            problem = "this terminal shows what is typed"
        except EOFError:
            problem = "there was no answer"
    raise UsageError(problem, "use --from-stdin; nothing was changed")


def read_secrets() -> list[Secret]:
    """The lines of standard input, without blanks around them; empty ones at the end left out."""
    # Latin-1 takes every byte; what is not ASCII is refused by the check of the secret.
    text = Secret(sys.stdin.buffer.read(SECRET_LIMIT + 1).decode("latin-1"))
    if len(text.reveal()) > SECRET_LIMIT:
        raise UsageError(f"standard input holds more than {SECRET_LIMIT} bytes")
    return [Secret(line.strip()) for line in text.reveal().rstrip().splitlines()]


@contextmanager
def _ctrl_c_ends_the_line() -> Iterator[None]:
    """The shell's prompt is not to stand behind our question."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise

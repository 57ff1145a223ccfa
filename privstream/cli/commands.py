"""The commands: their one-line help, and where each comes from. Nothing is loaded here.

The one rule: `privstream --help` is answered from this table alone, before Typer is loaded,
and reads as Typer would have it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from privstream.cli.examples import examples_of

CommandSource = str | Callable[[], Any]
"""`module:function`, or a function that makes the Click command."""


def _watch() -> Any:
    from privstream.cli.watch import group  # noqa: PLC0415 - start-up time

    return group()


def _record() -> Any:
    from privstream.cli.record import group  # noqa: PLC0415 - start-up time

    return group()


def _wait() -> Any:
    from privstream.cli.wait import group  # noqa: PLC0415 - start-up time

    return group()


def _order() -> Any:
    from privstream.cli.order import group  # noqa: PLC0415 - start-up time

    return group()


def _accounts() -> Any:
    from privstream.cli.accounts import group  # noqa: PLC0415 - start-up time

    return group()


def _token() -> Any:
    from privstream.cli.token import group  # noqa: PLC0415 - start-up time

    return group()


COMMANDS: dict[str, tuple[str, CommandSource]] = {
    "watch": ("Stream an account's own events.", _watch),
    "wait": ("Wait until an order is filled, or gets where you want it.", _wait),
    "token": ("For cron: check, show and renew session tokens.", _token),
    "order": ("Place, cancel and look at orders.", _order),
    "run": ("Stream all accounts into sinks, as a service.", "privstream.cli.run:run"),
    "record": ("Watch, and keep every frame in a file.", _record),
    "replay": ("Turn a recording, or bare frames, into events.", "privstream.cli.replay:replay"),
    "report": ("Sum up what was filled, by symbol and day.", "privstream.cli.report:report"),
    "demo": ("Watch a simulated account: no key, no network.", "privstream.cli.demo:demo"),
    "doctor": ("Say what is wrong here, and how to mend it.", "privstream.cli.doctor:doctor"),
    "simulate": ("Serve simulated exchanges on loopback.", "privstream.cli.simulate:simulate"),
    "accounts": ("Add, list and remove accounts.", _accounts),
    "schema": ("Print the JSON Schema of the events.", "privstream.cli.schema:schema"),
}
HELP = """Stream your own exchange account events: orders, fills, balances, positions.

Readable in a terminal, one JSON object per line in a pipe."""
EPILOG = """\b
More: privstream help COMMAND, privstream --version
Completion: privstream --install-completion bash|zsh|fish"""

WIDEST, NARROWEST = 80, 50
MARGIN = 2
"""Columns that Click leaves free on the right, puts before a paragraph, and between two columns."""


def help_text(columns: int) -> str:
    """The help of the program itself, on a terminal of so many columns."""
    width = max(min(columns, WIDEST) - MARGIN, NARROWEST)
    return "\n".join(_help_lines(width)) + "\n"


def _help_lines(width: int) -> Iterator[str]:
    yield "Usage: privstream [OPTIONS] COMMAND [ARGS]..."
    for paragraph in HELP.split("\n\n"):
        yield ""
        yield from _wrapped(paragraph, width, "  ")
    yield from _table("Options", [("-h, --help", "Show this message and exit.")], width)
    yield from _table("Commands", [(name, said) for name, (said, _) in COMMANDS.items()], width)
    yield ""
    yield "Examples:"
    yield from (f"  {example}" for example in examples_of("privstream"))
    yield ""
    yield from (f"  {line}" for line in EPILOG.split("\n")[1:])  # `\\b`: as it stands


def _table(title: str, rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    indent = MARGIN + max(len(name) for name, _ in rows) + MARGIN
    for name, said in rows:
        first, *rest = _wrapped(said, width, " " * indent)
        yield f"  {name}".ljust(indent) + first.lstrip()
        yield from rest


def _wrapped(text: str, width: int, indent: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(indent) + len(line) + 1 + len(word) > width:
            yield indent + line
            line = word
        else:
            line = f"{line} {word}".lstrip()
    yield indent + line

"""Command lines full of junk: of every command that there is, with options that it has and has not.

The one rule: the commands and their options are found by walking the command line itself, so that
what is added is tried too.
"""

import contextlib
import io
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from privstream import exchanges
from privstream.cli.entry import run
from privstream.delivery.signals import Stop
from tests.security.command_lines import leaves

NOWHERE = "127.0.0.1:9"
"""Nobody listens there: whoever goes out comes back at once."""
JUNK = (
    *(
        "",
        " ",
        "\t",
        "-",
        "--",
        "=",
        "~",
        "~nouser/x",
        "..",
        "/",
        "/dev/full",
        "/dev/null",
        "%s",
        "{}",
    ),
    *(
        "nan",
        "inf",
        "-inf",
        "-1",
        "0",
        "00",
        "1e400",
        "1e-400",
        "0x10",
        "1_000",
        "1,5",
        "+5",
        "٣",
        "½",
    ),
    *("9" * 400, "9" * 5000, "9" * 400 + "d", "0." + "9" * 400, "1" + "0" * 400 + "h"),
    *("\udcff\udcfe", "ÿ", "\x1b[31mred\x1b[0m", "[red]x[/red]", "a\nb", "\u202eabc", "💸" * 50),
    *(
        "file:~nouser/x",
        "file:",
        "file:/",
        "file:/dev/full",
        "http://user:secret@host/x",
        "file:\udcff",
    ),
    *(
        "--help",
        "--no-such",
        "-x",
        "--json",
        "--count=",
        "@x",
        "$HOME",
        "a" * 10_000,
        "null",
        "None",
    ),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-02-30T00:00:00Z", "2026-11-20"),
)
SENSIBLE = (
    *exchanges.names(),
    *("all", "orders", "trades", "balances", "prices", "nobody", "kraken", "v1", "v2", "jsonl"),
    *(
        "pretty",
        "raw",
        "BTC/EUR",
        "XBTEUR",
        "1",
        "2",
        "0.01",
        "20000",
        "1s",
        "5m",
        "2h",
        "1d",
        "buy",
    ),
    *("sell", "limit", "market", "stop-loss", "gtc", "ioc", "filled", "closed", "open", "keyring"),
    *(
        "config",
        "env",
        "file",
        "command",
        "api_key=NAME",
        "api_secret=/none",
        "post",
        "OAAAAA-BBBBB-CCCCCC",
    ),
    *("order", "trade", "2026-11-20T00:00:00Z", "mute@1s", "drop@every=1s", "spare"),
)
WORDS = st.one_of(st.sampled_from(SENSIBLE), st.sampled_from(JUNK), st.text(max_size=12))
ALLOWED = frozenset({0, 2, 3, 4, 5, 124})
"""124: what `wait` waited for did not happen in so short a time."""


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command, some of its options and arguments, and now and then something foreign."""
    path, command = draw(st.sampled_from(LEAVES))
    words = list(path)
    for parameter in command.params:
        words += draw(_given(parameter))
    if draw(st.integers(0, 9)) == 0:
        words.insert(draw(st.integers(0, len(words))), draw(WORDS))
    # No argument of a process holds a NUL.
    return [word.replace("\0", "") for word in words]


LEAVES = tuple(leaves())


def _given(parameter: Any) -> st.SearchStrategy[list[str]]:
    """How it may stand on a command line, if it does."""
    if parameter.param_type_name == "argument":
        most = 3 if parameter.nargs == -1 else 1
        return st.lists(WORDS, min_size=0 if not parameter.required else most, max_size=most)
    name = parameter.opts[0]
    if name == "--help":
        return st.just([])
    if parameter.is_flag:
        given = st.just([name])
    else:
        given = WORDS.flatmap(lambda word: st.sampled_from([[name, word], [f"{name}={word}"]]))
    # Few at a time: else hardly a line gets beyond the first that is refused.
    often = 0.7 if parameter.required else 0.1
    return st.floats(0, 1).flatmap(lambda chance: given if chance < often else st.just([]))


# --- running them --------------------------------------------------------------------------

PATIENCE = 0.2
"""Seconds until a command that goes on is told to stop."""
CONFIG = """
[accounts.kraken]
api_key = "key"
api_secret = "c2VjcmV0"
[accounts.zerocap]
api_key = "key"
api_secret = "secret"
environment = "production"
"""


@dataclass
class Home:
    """Where command lines run in this process: a folder, a config file, exchanges out of reach."""

    folder: Path
    faults: list[str] = field(default_factory=list)
    codes: dict[int, int] = field(default_factory=dict)
    said: str = ""
    """By the last one, on stdout and stderr."""

    def call(self, words: list[str]) -> None:
        """Run a command line, and note what is wrong with how it ended."""
        config = self.folder / "config.toml"
        config.touch(0o600)
        config.write_text(_config())
        variables = {"HOME": str(self.folder), "PRIVSTREAM_CONFIG": str(config), "PATH": "/nowhere"}
        with (
            mock.patch.dict(os.environ, variables, clear=True),
            mock.patch.object(sys, "excepthook", sys.excepthook),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n"))),
            contextlib.chdir(self.folder),
            _captured() as said,
        ):
            code = _ended(words)
        self.codes[code] = self.codes.get(code, 0) + 1
        text = self.said = said.getvalue().decode(errors="replace")
        if code not in ALLOWED or "Traceback" in text or "internal error" in text:
            self.faults.append(f"{words!r}: exit {code}: {text[-2000:]}")


def _ended(words: list[str]) -> int:
    with Stop() as stop:
        timer = threading.Timer(PATIENCE, stop.tell, (signal.SIGTERM,))
        timer.start()
        try:
            return run(words, stop)
        except Exception as bug:  # noqa: BLE001 - it is what we look for
            sys.stderr.write(f"Traceback: {bug!r}\n")
            return 1
        finally:
            timer.cancel()
            timer.join()


def _config() -> str:
    places = "".join(
        f'[exchanges.{name}]\nrest_url = "http://{NOWHERE}"\nws_url = "ws://{NOWHERE}/v2"\n'
        for name in ("kraken", "zerocap")
    )
    return CONFIG + places


@contextlib.contextmanager
def _captured() -> Iterator[io.BytesIO]:
    """What goes to stdout and stderr, whoever writes it."""
    said = io.BytesIO()
    with tempfile.TemporaryFile() as file:
        kept = [os.dup(1), os.dup(2)]
        text = io.TextIOWrapper(os.fdopen(os.dup(file.fileno()), "wb"), errors="backslashreplace")
        try:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            with mock.patch.object(sys, "stdout", text), mock.patch.object(sys, "stderr", text):
                yield said
            text.close()
        finally:
            for number, fd in enumerate(kept, start=1):
                os.dup2(fd, number)
                os.close(fd)
        file.seek(0)
        said.write(file.read())

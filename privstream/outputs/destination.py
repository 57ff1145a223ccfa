"""What `--to URL` names: finds the sink by the scheme, and imports only that one."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from privstream.model.errors import UsageError
from privstream.outputs.base import Output
from privstream.outputs.safe_text import MAX_CELLS, safe_text

_LATER = frozenset({"sqlite", "nats", "http", "https"})


Opening: TypeAlias = Callable[[], Output]
"""Opens a sink. Raises OutputFailed where it cannot."""


def parse(url: str, monotonic: Callable[[], float]) -> Opening:
    """What opens the sink that a URL names. Raises UsageError; nothing is opened yet."""
    scheme, colon, rest = url.partition(":")
    if scheme in _LATER and colon:
        # Not the URL itself: it may hold a password.
        raise UsageError(
            f"this version cannot deliver to {scheme}: destinations",
            "it has `--to file:PATH`; pipe standard output into another program for the rest",
        )
    if scheme != "file" or not colon:
        raise UsageError(f"no destination: {safe_text(url, MAX_CELLS)}", "use `--to file:PATH`")
    return _file(rest, monotonic)


def _file(path: str, monotonic: Callable[[], float]) -> Opening:
    if not path or "\0" in path:
        raise UsageError("`--to file:` names no file", "use `--to file:PATH`")
    try:
        full = Path(path).expanduser()
    except RuntimeError as problem:
        raise UsageError(f"--to file:{safe_text(path, MAX_CELLS)}: {problem}") from None

    def opened() -> Output:
        from privstream.outputs.file import FileSink  # noqa: PLC0415 - only where it is asked for

        return FileSink(full, monotonic)

    return opened

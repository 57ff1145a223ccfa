"""The file that `--to file:PATH` names, imported only where one is named."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from privstream.model.errors import UsageError
from privstream.outputs.base import Output
from privstream.outputs.safe_text import MAX_CELLS, safe_text

Opening: TypeAlias = Callable[[], Output]
"""Opens a file that takes each event at once. Raises OutputFailed where it cannot."""


def file_at(path: str, monotonic: Callable[[], float]) -> Opening:
    """What opens the file that `--to file:PATH` names. Raises UsageError; nothing is opened yet."""
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

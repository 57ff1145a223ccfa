"""`privstream record FILE EXCHANGE [CHANNEL]...`: watch, and keep every frame in a file.

The file is new, 0600, and holds no secret: `recording.py` says what is in it.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import msgspec

from privstream.app.environment import Environment
from privstream.app.recording import VERSION, Direction, Entry, Head
from privstream.app.watch import Request, watch
from privstream.cli.lazy import LazyGroup, is_empty
from privstream.cli.watch import one_each
from privstream.model.account import Account
from privstream.model.errors import OutputFailed, UsageError
from privstream.model.exact import ascii_line
from privstream.model.session import Tap
from privstream.model.times import from_nanos
from privstream.outputs.descriptor import write_all

METAVAR = "FILE EXCHANGE [CHANNEL]..."


def group() -> Any:
    """The group of the subcommands, one per exchange, after the file's name."""
    return _RecordGroup()


class _RecordGroup(LazyGroup):
    """Takes the file first, then the exchange as its subcommand."""

    before = 1

    def __init__(self) -> None:
        help_ = "Watch one account, and write every frame with its time to a new FILE."
        lazy = one_each(self._record)
        super().__init__(name="record", lazy=lazy, help=help_, subcommand_metavar=METAVAR)
        self._file: str | None = None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-"):
            self._file = args.pop(0)
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Before the file is named the shell completes it."""
        return super().shell_complete(ctx, incomplete) if self._file is not None else []

    def _record(self, environment: Environment, request: Request) -> int:
        if self._file is None:
            raise UsageError("record into which file?", "privstream record FILE EXCHANGE")
        if not self._file.strip():
            raise is_empty("FILE")
        with Recorder(Path(self._file)) as recorder:
            return watch(environment, request, recorder)


class Recorder:
    """Writes a recording; the account's thread calls it, one frame after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> Self:
        if os.path.lexists(self._path):
            raise self._exists()
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _exists(self) -> UsageError:
        hint = "name a new file; a recording is never overwritten"
        return UsageError(f"{self._path} exists already", hint)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o600)
        except FileExistsError:
            raise self._exists() from None
        except OSError as problem:
            raise OutputFailed(f"cannot record into {self._path}: {problem.strerror}") from problem

    def begin(self, account: Account, channels: Sequence[str]) -> Tap:
        """Make the file and write its head; what is returned writes each frame."""
        self._fd = self._open()
        head = Head(
            recording="privstream",
            version=VERSION,
            exchange=account.exchange,
            account=account.name,
            options=dict(account.options),
            channels=tuple(channels),
            started=from_nanos(time.time_ns()),
        )
        self._write(head)
        return self._frame

    def _frame(self, direction: str, frame: str) -> None:
        now = from_nanos(time.time_ns())
        self._write(Entry(time=now, direction=cast("Direction", direction), frame=frame))

    def _write(self, line: Head | Entry) -> None:
        write_all(self._fd, ascii_line(msgspec.json.encode(line)) + b"\n")

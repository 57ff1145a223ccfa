"""The exchange's own frames, verbatim, one per line.

The one rule: verbatim, except that a terminal is never given a control character.
"""

import os
from collections.abc import Sequence

from privstream.outputs.descriptor import Patience, write_all
from privstream.outputs.safe_text import safe_text


class RawFrames:
    """Writes frames to an open file descriptor, which stays open."""

    def __init__(self, fd: int, patience: Patience | None = None) -> None:
        self._fd = fd
        self._patience = patience
        self._on_terminal = os.isatty(fd)

    def write(self, frames: Sequence[bytes], /) -> None:
        if self._on_terminal:
            frames = [_neutralised(frame) for frame in frames]
        write_all(self._fd, b"".join(frame + b"\n" for frame in frames), self._patience)

    def close(self) -> None:
        """Nothing is held."""


def _neutralised(frame: bytes) -> bytes:
    return safe_text(frame.decode(errors="backslashreplace")).encode()

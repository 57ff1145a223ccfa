"""Events as JSON, one a line, to a file descriptor.

The one rule: a line holds printable ASCII only, so that no terminal obeys it.
"""

from collections.abc import Sequence

from privstream.model.events import AnyEvent
from privstream.model.exact import ascii_line, encode_into
from privstream.outputs.descriptor import Patience, write_all

_KEPT = 1 << 20  # one huge batch does not keep its memory for the rest of the run
_WHITESPACE = bytes.maketrans(b"\t\n\r", b"   ")


class JsonLines:
    """Writes JSON lines to an open file descriptor, which stays open."""

    def __init__(self, fd: int, patience: Patience | None = None) -> None:
        self._fd = fd
        self._patience = patience
        self._buffer = bytearray()

    def write(self, events: Sequence[AnyEvent], /) -> None:
        self._buffer = encode_lines(events, self._buffer)
        write_all(self._fd, self._buffer, self._patience)
        if len(self._buffer) > _KEPT:
            self._buffer = bytearray()

    def close(self) -> None:
        """Nothing is held."""


def encode_lines(events: Sequence[AnyEvent], buffer: bytearray) -> bytearray:
    """The lines of all events, in `buffer` where they need no escaping."""
    buffer.clear()
    for event in events:
        encode_into(event, buffer, len(buffer))
        buffer += b"\n"
    if _is_printable(buffer, len(events)):
        return buffer
    return _escaped(events)


def _is_printable(lines: bytearray, count: int) -> bool:
    # The encoder escapes control characters; only an exchange's own `raw` may hold white space.
    return (
        lines.isascii()
        and b"\x7f" not in lines
        and b"\r" not in lines
        and b"\t" not in lines
        and lines.count(b"\n") == count
    )


def _escaped(events: Sequence[AnyEvent]) -> bytearray:
    escaped = bytearray()
    for event in events:
        line = bytearray()
        encode_into(event, line, 0)
        # White space in JSON stands between values only: inside a string it is escaped.
        escaped += ascii_line(bytes(line.translate(_WHITESPACE)))
        escaped += b"\n"
    return escaped

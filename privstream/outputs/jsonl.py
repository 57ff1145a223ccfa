"""Events as JSON, one a line, to a file descriptor.

The one rule: a line holds printable ASCII only, so that no terminal obeys it.
"""

from collections.abc import Sequence

from privstream.model import exact
from privstream.model.events import AnyEvent
from privstream.outputs.descriptor import Patience, write_all

DELETE, RETURN, TAB = b"\x7f\r\t"
"""Bytes by their numbers, which are found far quicker."""
_WHITESPACE = bytes.maketrans(b"\t\n\r", b"   ")


class JsonLines:
    """Writes JSON lines to an open file descriptor, which stays open."""

    def __init__(self, fd: int, patience: Patience | None = None) -> None:
        self._fd = fd
        self._patience = patience

    def write(self, events: Sequence[AnyEvent], /) -> None:
        write_all(self._fd, encode_lines(events), self._patience)

    def close(self) -> None:
        """Nothing is held."""


def encode_lines(events: Sequence[AnyEvent]) -> bytes:
    """The lines of all events, made in one go."""
    lines = exact.encode_lines(events)
    return lines if _is_printable(lines, len(events)) else _escaped(events)


def _is_printable(lines: bytes, count: int) -> bool:
    # The encoder escapes control characters; only an exchange's own `raw` may hold white space.
    return (
        lines.isascii()
        and DELETE not in lines
        and RETURN not in lines
        and TAB not in lines
        and lines.count(b"\n") == count
    )


def _escaped(events: Sequence[AnyEvent]) -> bytes:
    # White space in JSON stands between values only: inside a string it is escaped.
    lines = (exact.encode(event).translate(_WHITESPACE) for event in events)
    return b"".join(exact.ascii_line(line) + b"\n" for line in lines)

"""The word that goes with every batch: what the next host must know to go on exactly there.

The one rule: it lies in the stream together with the events that it is of, or not at all. Most
words hold what changed; now and then one holds all, so that nobody reads from the beginning.
"""

from collections.abc import Sequence

from msgspec import Struct, msgpack

from privstream.memory.journal import Note

FORMAT = 1
PART = 256 * 1024
"""Bytes of notes in one message; a word of more is several."""
_NOTE = 64
"""Bytes of a note beside its texts, at most."""


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """A note, and when it was made by the clock of the host that made it."""

    kind: str
    key: str
    value: bytes | None
    """`None`: it was forgotten."""
    lasting: bool
    noted_ns: int

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return len(self.kind) + len(self.key) + len(self.value or b"") + _NOTE


class Writer(Struct, frozen=True, array_like=True, gc=False):
    """Whose word it is: a host, and which of its times of streaming the account."""

    host: str
    epoch: int


class Word(Struct, frozen=True, array_like=True, gc=False):
    """One message of a word."""

    version: int
    writer: Writer
    number: int
    """Of the batch, in its epoch."""
    whole_ns: int
    """Until then, by the exchange's clock, nothing is missing in the stream."""
    base: int
    """Sequence of the first message of the last full word; 0 in a full word itself."""
    part: int
    parts: int
    notes: list[Entry]

    @property
    def is_full(self) -> bool:
        return self.base == 0


def entries_of(notes: Sequence[Note], now_ns: int) -> list[Entry]:
    """Notes as they go into a word."""
    return [Entry(one.kind, one.key, one.value, one.lasting, now_ns) for one in notes]


def encode(
    writer: Writer, number: int, whole_ns: int, entries: Sequence[Entry], *, base: int, room: int
) -> list[bytes]:
    """The messages of a word; `room`: what the server takes of one."""
    slices = _slices(entries, min(PART, room // 2))
    count = len(slices)
    return [
        msgpack.encode(Word(FORMAT, writer, number, whole_ns, base, part, count, notes))
        for part, notes in enumerate(slices)
    ]


def decode(body: bytes) -> Word:
    """Raises ValueError where it is none of ours."""
    word = _words.decode(body)
    if word.version != FORMAT:
        raise ValueError(f"its format is {word.version}, and this privstream knows {FORMAT}")
    return word


def _slices(entries: Sequence[Entry], size: int) -> list[list[Entry]]:
    slices: list[list[Entry]] = [[]]
    room = size
    for entry in entries:
        room -= entry.size
        if room < 0 and slices[-1]:
            slices.append([])
            room = size - entry.size
        slices[-1].append(entry)
    return slices


_words = msgpack.Decoder(Word)

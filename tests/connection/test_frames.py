"""Splitting what a server sends."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.connection.socket.frames import FRAME_LIMIT, MESSAGE_LIMIT, Frames
from tests.connection.loopback import frame

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def split(*chunks: bytes) -> list[bytes]:
    frames = Frames()
    messages = [message for chunk in chunks for message in frames.feed(chunk)]
    assert frames.violation is None
    return messages


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 600, 65535, 65536, 100_000])
def test_every_length_notation_is_read(size: int) -> None:
    payload = b"x" * size
    assert split(frame(payload) + frame(b"after")) == [payload, b"after"]


def test_text_and_binary_are_both_told_as_bytes() -> None:
    assert split(frame(b"\xff\xfe", BINARY) + frame("é".encode(), TEXT)) == [
        b"\xff\xfe",
        b"\xc3\xa9",
    ]


def test_fragments_are_joined_also_around_a_ping() -> None:
    frames = Frames()
    stream = (
        frame(b"one ", TEXT, final=False)
        + frame(b"?", PING)
        + frame(b"two ", CONT, final=False)
        + frame(b"", CONT, final=False)
        + frame(b"three", CONT)
        + frame(b"next")
    )
    assert frames.feed(stream) == [b"one two three", b"next"]
    assert frames.pings == [b"?"]
    assert not frames.unfinished


def test_nothing_after_a_close_is_read_but_everything_before_it() -> None:
    frames = Frames()
    assert frames.feed(frame(b"last") + frame(b"\x03\xe8bye", CLOSE) + frame(b"late")) == [b"last"]
    assert frames.close == b"\x03\xe8bye"
    assert not frames.unfinished


def test_half_a_frame_waits_for_its_rest() -> None:
    frames = Frames()
    whole = frame(b"x" * 300)
    assert frames.feed(whole[:3]) == []
    assert frames.unfinished
    assert frames.feed(whole[3:200]) == []
    assert frames.feed(whole[200:]) == [b"x" * 300]
    assert not frames.unfinished


messages = st.lists(
    st.one_of(
        st.tuples(st.just("data"), st.binary(max_size=300)),
        st.tuples(st.just("parts"), st.lists(st.binary(max_size=150), min_size=1, max_size=4)),
        st.tuples(st.just("ping"), st.binary(max_size=125)),
        st.tuples(st.just("large"), st.integers(65_530, 66_000)),
    ),
    max_size=8,
)


def written(story: list[tuple[str, object]]) -> tuple[bytes, list[bytes], list[bytes]]:
    """The bytes of these messages, and what must come of them."""
    stream, data, pings = b"", [], []
    for kind, value in story:
        if kind in {"data", "large"}:
            payload = value if isinstance(value, bytes) else b"L" * int(str(value))
            stream += frame(payload)
            data.append(payload)
        elif kind == "ping" and isinstance(value, bytes):
            stream += frame(value, PING)
            pings.append(value)
        elif isinstance(value, list):
            for number, part in enumerate(value):
                opcode = CONT if number else BINARY
                stream += frame(part, opcode, final=number == len(value) - 1)
            data.append(b"".join(value))
    return stream, data, pings


@given(story=messages, cuts=st.lists(st.integers(0, 70_000), max_size=12))
def test_however_a_stream_is_cut_the_same_messages_come_out(
    story: list[tuple[str, object]], cuts: list[int]
) -> None:
    stream, data, pings = written(story)
    frames = Frames()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    got = [message for start, end in pairwise(edges) for message in frames.feed(stream[start:end])]
    assert got == data
    assert frames.pings == pings
    assert frames.violation is None
    assert not frames.unfinished


@given(story=messages.filter(lambda story: all(kind != "large" for kind, _ in story)))
def test_a_stream_that_drips_byte_by_byte_is_the_same(story: list[tuple[str, object]]) -> None:
    stream, data, pings = written(story)
    frames = Frames()
    got = [message for byte in stream for message in frames.feed(bytes([byte]))]
    assert (got, frames.pings) == (data, pings)


@given(junk=st.binary(max_size=400), cut=st.integers(0, 400))
def test_junk_never_raises(junk: bytes, cut: int) -> None:
    frames = Frames()
    for chunk in (junk[:cut], junk[cut:]):
        if frames.violation is None and frames.close is None:
            frames.feed(chunk)


@pytest.mark.parametrize(
    ("mistake", "why"),
    [
        (b"\x81\x85\x00\x00\x00\x00hello", "masked"),
        (b"\x81\xfe", "masked"),
        (b"\x81\xff", "masked"),
        (frame(b"x", TEXT | 0x40), "reserved"),
        (frame(b"x", TEXT | 0x20), "reserved"),
        (frame(b"x", PING | 0x10), "reserved"),
        (frame(b"x", 3), "unknown opcode 3"),
        (frame(b"x", 11), "unknown opcode 11"),
        (frame(b"x", PING, final=False), "fragmented control"),
        (frame(b"x" * 126, PING), "more than 125"),
        (frame(b"x" * 70_000, PONG), "more than 125"),
        (frame(b"x", CONT), "continuation of nothing"),
        (frame(b"x", CONT, final=False), "continuation of nothing"),
        (frame(b"x", TEXT, final=False) + frame(b"y"), "inside another"),
        (b"\x81\x7f" + struct.pack("!Q", 2**62), "more than 16 MiB"),
        (b"\x82\x7f" + struct.pack("!Q", 2**63), "more than 16 MiB"),
        (b"\x01\x7f" + struct.pack("!Q", FRAME_LIMIT + 1), "more than 16 MiB"),
    ],
)
def test_a_mistake_is_named_and_what_came_before_it_is_kept(mistake: bytes, why: str) -> None:
    frames = Frames()
    assert frames.feed(frame(b"before") + mistake) == [b"before"]
    assert why in str(frames.violation)


def test_a_frame_of_the_largest_size_passes() -> None:
    payload = bytes(FRAME_LIMIT)
    stream = frame(payload)
    assert split(*(stream[i : i + 65536] for i in range(0, len(stream), 65536))) == [payload]


@pytest.mark.timeout(8)
def test_a_large_frame_in_small_pieces_does_not_cost_quadratic_time() -> None:
    # Copying what is here with every piece would move some 270 GB.
    stream = frame(bytes(FRAME_LIMIT))
    assert len(split(*(stream[i : i + 32] for i in range(0, len(stream), 32)))) == 1


def test_endless_fragments_are_refused_at_the_message_limit_before_the_last_has_come() -> None:
    frames = Frames()
    part = bytes(FRAME_LIMIT)
    frames.feed(frame(part, BINARY, final=False))
    frames.feed(frame(part, CONT, final=False))
    assert frames.violation is None
    frames.feed(frame(b"x", CONT)[:2])
    assert f"{MESSAGE_LIMIT >> 20} MiB" in str(frames.violation)

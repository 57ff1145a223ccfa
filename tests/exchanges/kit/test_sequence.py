"""Numbers of frames: each loss is noticed, and no frame is read twice."""

from privstream.exchanges.kit.sequence import Sequence, number_of
from privstream.model.session import Reconnect


def faults(*numbers: int | None) -> list[Reconnect]:
    sequence = Sequence()
    return [fault for number in numbers for fault in sequence.follow(number)]


def test_the_first_number_is_the_base_and_each_next_one_is_right() -> None:
    assert faults(7, 8, 9) == faults(None, None) == faults(None, 7, 8) == faults(7, 7, 8) == []


def test_a_jump_is_a_loss() -> None:
    lost = Reconnect("sequence", "frames 8 to 9 were lost")
    assert faults(7, 10, 11) == faults(7, None, 10) == [lost]


def test_a_frame_whose_number_cannot_be_read_may_have_taken_one() -> None:
    assert faults(7, None, 9, 10) == faults(7, None, 8, 9) == faults(7, None, None, 10) == []
    assert faults(7, None, 9, 11) == [Reconnect("sequence", "frames 10 to 10 were lost")]


def test_a_number_is_a_whole_number() -> None:
    assert [number_of(value) for value in (7, True, "7", None, [7])] == [7, *[None] * 4]


def test_a_step_back_is_a_fault_too() -> None:
    assert faults(7, 8, 5) == [Reconnect("sequence", "frame 5 came after 8")]


def test_what_was_read_or_comes_late_is_past() -> None:
    sequence = Sequence()
    assert not sequence.is_past(7)
    list(sequence.follow(7))
    assert [sequence.is_past(n) for n in (None, 6, 7, 8)] == [False, True, True, False]

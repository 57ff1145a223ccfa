"""Zerocap's 408: a clock that is off ends a run at once, and says by how much."""

import pytest

from privstream.model.errors import LoginRefused
from tests.joined import World


@pytest.mark.parametrize(
    ("ahead", "said"), [(45.0, "45 s ahead of Zerocap's"), (-45.0, "45 s behind Zerocap's")]
)
def test_a_refused_handshake_is_one_attempt_and_names_the_measured_skew(
    ahead: float, said: str
) -> None:
    run = World("zerocap", ahead=ahead, refuse_over_http=True)
    with pytest.raises(LoginRefused) as caught:
        run.watch(60)
    assert said in caught.value.message
    assert "set this computer's clock" in (caught.value.hint or "")
    assert len(run.sockets) == 1


def test_a_refusal_in_a_frame_names_the_clock() -> None:
    run = World("zerocap", ahead=45.0)
    with pytest.raises(LoginRefused) as caught:
        run.watch(60)
    assert len(run.sockets) == 1
    assert "the clock is off" in caught.value.message
    assert "set this computer's clock" in (caught.value.hint or "")


def test_a_clock_within_the_limit_streams() -> None:
    run = World("zerocap", ahead=20.0, refuse_over_http=True)
    run.watch(20)
    assert "live" in run.states()

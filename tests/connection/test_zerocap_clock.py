"""Zerocap's 408: a clock that is off ends a run at once, and says by how much."""

import pytest

from privstream.model.errors import LoginRefused
from privstream.model.events import Notice
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


@pytest.mark.parametrize(("ahead", "way"), [(20.0, "ahead of"), (-20.0, "behind")])
def test_a_clock_within_the_limit_streams_and_is_said_once(ahead: float, way: str) -> None:
    """It shows by the answers after the login: before it nothing is asked over REST."""
    run = World("zerocap", ahead=ahead, refuse_over_http=True).at(10, World.cut)
    run.watch(40)
    assert "live" in run.states()
    said = [notice.text for notice in run.told(Notice) if notice.code == "clock_skew"]
    assert said == [f"this computer's clock is 20 s {way} the exchange's"]

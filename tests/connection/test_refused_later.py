"""What is refused after it was good, or refused of a cache, is no reason to end at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from privstream.model.errors import LoginRefused, Refused
from privstream.model.events import Gap, Status
from privstream.model.rest import HttpRequest, HttpResponse
from privstream.model.times import to_nanos
from tests.joined import World
from tests.rest_play import answer

INVALID = answer({"error": ["EAPI:Invalid key"]})


def refusing(run: World, until: float) -> Callable[[HttpRequest], HttpResponse | None]:
    """Kraken knows the key no more, from the tenth second until then."""
    begin = run.clock.now().monotonic

    def refuse(request: HttpRequest) -> HttpResponse | None:
        passed = run.clock.now().monotonic - begin
        is_token = request.path.endswith("GetWebSocketsToken")
        return INVALID if is_token and 10.0 < passed < until else None

    return refuse


def test_a_key_that_was_good_is_tried_three_times_over_five_minutes() -> None:
    run = World("kraken", limits=False).at(10, World.cut)
    run.refuse = refusing(run, 10_000.0)
    with pytest.raises(LoginRefused):
        run.watch(600)
    waits = [s.retry_in for s in run.told(Status) if "Kraken" in (s.detail or "") and s.retry_in]
    assert waits == [60.0, 120.0, 120.0]
    assert run.requests.count("GetWebSocketsToken") == 1 + 4
    [gap] = run.told(Gap)
    assert not gap.complete


def test_a_key_that_is_refused_for_a_while_only_is_used_again() -> None:
    run = World("kraken", limits=False).at(10, World.cut)
    run.refuse = refusing(run, 100.0)
    run.watch(400)
    assert run.states()[-2:] == ["live", "stopped"]
    [gap] = run.told(Gap)
    assert gap.complete
    assert (to_nanos(gap.to) - to_nanos(gap.from_)) / 1e9 > 150.0


def test_a_key_that_never_was_good_is_tried_once() -> None:
    run = World("kraken", limits=False)
    run.refuse = lambda request: INVALID if "Token" in request.path else None
    with pytest.raises(LoginRefused):
        run.watch(600)
    assert run.requests == ["GetWebSocketsToken"]


def test_a_dead_token_of_the_cache_and_a_refused_fresh_one_are_not_yet_two(tmp_path: Path) -> None:
    """Another process cached it; it died there. Only fresh ones say something of the key."""
    run = World("kraken", cache=tmp_path, limits=False)
    run.tokens(tmp_path).get(120.0)
    run.simulated.expire(run.clock.now())
    dead = {"token": "dead", "expires": 900}
    given: list[str] = []

    def refuse(request: HttpRequest) -> HttpResponse | None:
        if not request.path.endswith("GetWebSocketsToken"):
            return None
        given.append(request.path)
        return answer({"error": [], "result": dead}) if len(given) == 1 else None

    run.refuse = refuse
    run.watch(60)
    assert run.states()[-2:] == ["live", "stopped"]
    assert len(run.sockets) == 3


def test_two_fresh_tokens_refused_in_a_row_end_it() -> None:
    run = World("kraken", limits=False)
    dead = answer({"error": [], "result": {"token": "dead", "expires": 900}})
    run.refuse = lambda request: dead if "Token" in request.path else None
    with pytest.raises(Refused, match="refuses every token"):
        run.watch(600)
    assert run.requests.count("GetWebSocketsToken") == 2

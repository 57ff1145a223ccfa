"""Which token a connection gets where a cache is shared: a supervisor and a strict exchange."""

import re
from pathlib import Path

import pytest

from privstream.model.errors import PermissionMissing, Refused
from privstream.model.rest import HttpRequest, HttpResponse
from tests.joined import World
from tests.rest_play import answer

FETCH = {"kraken": "GetWebSocketsToken", "indodax": "generate_token"}
BOTH = pytest.mark.parametrize("name", list(FETCH))
USED = re.compile(r'"token":"([^"]+)"')


def fetched(world: World) -> int:
    return world.requests.count(FETCH[world.exchange.name])


def used(world: World) -> list[str]:
    """The token of each connection."""
    found = [USED.search(" ".join(socket.sent)) for socket in world.sockets]
    return [match[1] for match in found if match]


@BOTH
def test_the_first_connection_takes_a_token_that_somebody_fetched(
    name: str, tmp_path: Path
) -> None:
    world = World(name, cache=tmp_path)
    token, _ = world.tokens(tmp_path).get(120.0)
    world.watch(5)
    assert (fetched(world), used(world)) == (1, [token.secret.reveal()])
    assert world.states() == ["connecting", "live", "stopped"]
    assert "took a token from the cache" in world.notes


@BOTH
def test_no_connection_gets_the_token_of_the_one_before(name: str, tmp_path: Path) -> None:
    world = World(name, cache=tmp_path)
    for second in (5, 15, 25):
        world.at(second, World.cut)
    world.watch(40)
    assert len(used(world)) == len(set(used(world))) == fetched(world) == 4


@BOTH
def test_a_reconnect_takes_what_somebody_else_fetched_meanwhile(name: str, tmp_path: Path) -> None:
    world = World(name, cache=tmp_path)
    world.at(5, lambda w: w.tokens(tmp_path).refresh()).at(6, World.cut).watch(15)
    assert len(set(used(world))) == fetched(world) == 2


@BOTH
def test_without_a_cache_every_connection_fetches_its_own(name: str) -> None:
    world = World(name).at(5, World.cut)
    world.watch(15)
    assert len(set(used(world))) == fetched(world) == 2


@BOTH
def test_a_dead_token_is_dropped_and_the_next_connection_fetches(name: str, tmp_path: Path) -> None:
    world = World(name, cache=tmp_path)
    token, _ = world.tokens(tmp_path).get(120.0)
    world.simulated.expire(world.clock.now())
    world.watch(15)
    assert world.states() == [
        "connecting",
        "retrying",
        "connecting",
        "catching_up",
        "live",
        "stopped",
    ]
    assert fetched(world) == 2
    assert used(world)[0] == token.secret.reveal() != used(world)[1]
    kept = world.tokens(tmp_path).kept()
    assert kept is not None
    assert kept[0].secret.reveal() == used(world)[1]


@pytest.mark.parametrize(("age", "count"), [(775.0, 1), (785.0, 2)])
def test_no_connection_begins_with_a_kraken_token_older_than_13_minutes(
    age: float, count: int, tmp_path: Path
) -> None:
    world = World("kraken", cache=tmp_path)
    world.tokens(tmp_path).get(120.0)
    world.pass_time(age)
    world.watch(5)
    assert fetched(world) == count


def test_a_token_without_the_right_is_not_kept_for_the_next_run(tmp_path: Path) -> None:
    # Who mends the key's rights starts again, and must not meet the old token.
    world = World("kraken", cache=tmp_path, rights=frozenset({"websocket", "funds"}))
    with pytest.raises(PermissionMissing):
        world.watch(15)
    assert world.tokens(tmp_path).kept() is None


def test_tokens_that_are_all_refused_end_it(tmp_path: Path) -> None:
    world = World("kraken", cache=tmp_path)

    def dead(request: HttpRequest) -> HttpResponse | None:
        if not request.path.endswith("GetWebSocketsToken"):
            return None
        result = {"token": f"dead{fetched(world)}", "expires": 900}
        return answer({"error": [], "result": result})

    world.refuse = dead
    with pytest.raises(Refused, match="refuses every token"):
        world.watch(60)
    assert used(world) == ["dead1", "dead2"]
    assert world.tokens(tmp_path).kept() is None


@pytest.mark.parametrize("name", ["bitfinex", "poloniex", "zerocap"])
def test_an_exchange_without_tokens_has_none(name: str) -> None:
    assert not World(name).exchange.has_token()


@BOTH
def test_an_exchange_that_says_how_to_get_a_token_has_one(name: str) -> None:
    assert World(name).exchange.has_token()

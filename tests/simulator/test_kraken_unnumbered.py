"""A Kraken whose errors do not say which request they answer, and what an account may not trade."""

import pytest

from privstream.connection.orders.canceling import Cancellation
from privstream.model.errors import PermissionMissing, PrivstreamError, Refused, UnknownOrder
from privstream.simulator.kraken.exchange import RIGHTS
from tests.joined import World
from tests.order_world import OrderWorld

PROTOCOLS = pytest.mark.parametrize("protocol", ["v1", "v2"])


@PROTOCOLS
def test_a_refused_subscription_ends_the_run_after_one_attempt(protocol: str) -> None:
    rights = RIGHTS - {"open_orders"}
    world = World(
        "kraken", options={"protocol": protocol}, rights=rights, numbers_errors=False, seed=2
    )
    with pytest.raises(PermissionMissing):
        world.watch(30)
    assert len(world.sockets) == 1


@PROTOCOLS
def test_a_refused_order_is_refused_at_once_with_krakens_words(protocol: str) -> None:
    desk = OrderWorld(
        options={"protocol": protocol}, numbers_errors=False, restricted=frozenset({"BTC"})
    )
    placement, begun = desk.placement(desk.ticket()), desk.world.clock.now().monotonic
    with pytest.raises(Refused, match=r"BTC trading restricted for ZZ\.") as refused:
        placement.run()
    assert refused.value.category == "refused"
    assert desk.world.clock.now().monotonic - begun < 5
    assert placement.state == "refused"


@PROTOCOLS
def test_a_refused_cancel_is_refused_at_once(protocol: str) -> None:
    desk = OrderWorld(options={"protocol": protocol}, numbers_errors=False)
    begun = desk.world.clock.now().monotonic
    problems: list[PrivstreamError] = (
        Cancellation(desk.broker, ("OAAAAA-BBBBB-CCCCCC",)).run().problems
    )
    assert [type(problem) for problem in problems] == [UnknownOrder]
    assert desk.world.clock.now().monotonic - begun < 5

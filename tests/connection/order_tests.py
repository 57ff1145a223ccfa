"""What tests of placing orders share."""

from collections.abc import Callable, Iterable

import pytest

from privstream.connection.orders.placing import Placement
from privstream.model.errors import (
    PrivstreamError,
)
from tests.order_world import OrderWorld

BOTH = pytest.mark.parametrize("name", ["kraken", "zerocap"])
PROTOCOLS = pytest.mark.parametrize("protocol", ["v1", "v2"])


def refusal(desk: OrderWorld, placement: Placement) -> PrivstreamError:
    """What placing ends with."""
    with pytest.raises(PrivstreamError) as caught:
        placement.run()
    del desk
    return caught.value


def orders_sent(desk: OrderWorld) -> int:
    words = ("add_order", "addOrder")
    over_socket = sum(len(desk.sent(f'"{word}"')) for word in words)
    return over_socket + desk.world.requests.count("create_order")


def without(word: str) -> Callable[[str], Iterable[str]]:
    """The frames with this word never arrive."""
    return lambda text: [] if word in text else [text]

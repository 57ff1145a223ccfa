"""Gives every fill one key, also where stream and REST number it differently. Pure.

The one rule: fills of one series of numbers are told apart by their numbers alone; only a
fill of the other series, with the same order, price, quantity and time, is the same fill.

REST lists fills by the stream's small numbers (`68561226`) or, in older answers, by
snowflakes (`30341456333942784`):
https://api-docs.poloniex.com/spot/api/private/trade, checked 2026-11-20.
"""

from collections import OrderedDict, defaultdict
from typing import NamedTuple

from privstream.model.exact import normal

SNOWFLAKE = 15
"""Digits from which on a number is a snowflake; trade numbers have 8 or 9."""
SAME_TIME = 5_000
"""Milliseconds that the two may differ in time."""
MEMORY = 20_000
"""Fills remembered; reading back overlaps by a minute."""

Amounts = tuple[str | None, str | None]
"""Price and quantity."""


class _Seen(NamedTuple):
    key: str
    millis: int


class _Place(NamedTuple):
    """What two numbers of one fill agree in, and which series the number is of."""

    order_id: str
    price: str
    quantity: str
    is_snowflake: bool


class FillKeys:
    """The keys of one account's fills."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, tuple[str, _Place, _Seen]] = OrderedDict()
        self._unpaired: defaultdict[_Place, list[_Seen]] = defaultdict(list)

    def key(self, order_id: str, trade_id: str, amounts: Amounts, millis: int) -> str:
        """The key of a fill: of its own numbers, or of those under which it came before."""
        own = f"{order_id}:{trade_id}"
        if own in self._keys:
            return self._keys[own][0]
        price, quantity = amounts
        place = _Place(order_id, normal(price), normal(quantity), len(trade_id) >= SNOWFLAKE)
        seen = _Seen(own, millis)
        twin = self._take_twin(place, millis)
        if twin is None:
            self._unpaired[place].append(seen)
        key = own if twin is None else twin.key
        self._remember(own, key, place, seen)
        return key

    def _take_twin(self, place: _Place, millis: int) -> _Seen | None:
        """The nearest in time of the other series, which then is paired."""
        others = self._unpaired.get(place._replace(is_snowflake=not place.is_snowflake), [])
        twin = min(others, key=lambda seen: abs(seen.millis - millis), default=None)
        if twin is None or abs(twin.millis - millis) > SAME_TIME:
            return None
        others.remove(twin)
        return twin

    def _remember(self, own: str, key: str, place: _Place, seen: _Seen) -> None:
        self._keys[own] = key, place, seen
        if len(self._keys) > MEMORY:
            _, (_, old_place, old) = self._keys.popitem(last=False)
            left = [other for other in self._unpaired.pop(old_place, []) if other != old]
            if left:
                self._unpaired[old_place] = left

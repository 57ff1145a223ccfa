"""What a REST call was asked, checked argument by argument."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from privstream.model.rest import Now
from privstream.simulator.bitfinex.keys import BitfinexRefused

USUAL_LIMIT = 25
END_OF_TIME = 2**53


class Query(Struct, frozen=True):
    """The arguments of one call, and when it came. What is null was not asked."""

    arguments: Mapping[str, Any]
    now: Now

    @property
    def span(self) -> tuple[int, int]:
        """From when until when, in milliseconds, both included."""
        return self._whole("start", 0), self._whole("end", END_OF_TIME)

    @property
    def is_newest_first(self) -> bool:
        sort = self.arguments.get("sort", -1)
        if sort not in {1, -1}:
            raise BitfinexRefused(10020, "sort: invalid")
        return bool(sort == -1)

    def limit(self, most: int) -> int:
        limit = self._whole("limit", USUAL_LIMIT)
        if not 0 < limit <= most:
            raise BitfinexRefused(10020, "limit: invalid")
        return limit

    def numbers(self, name: str) -> set[int]:
        """One whole number, or a list of them."""
        value = self.arguments[name]
        values = value if isinstance(value, list) else [value]
        if not all(type(item) is int for item in values):
            raise BitfinexRefused(10020, f"{name}: invalid")
        return set(values)

    def _whole(self, name: str, usual: int) -> int:
        value = self.arguments.get(name, usual)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        if type(value) is not int or value < 0:
            raise BitfinexRefused(10020, f"{name}: invalid")
        return value

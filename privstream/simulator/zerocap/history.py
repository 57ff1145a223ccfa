"""What REST lists of orders: one by id, or pages of what matches.

The one rule: an order is found by when it was placed, not by when it was filled.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from privstream.model.rest import Now
from privstream.simulator.market import Books, Order
from privstream.simulator.zerocap.keys import invalid
from privstream.simulator.zerocap.orders import OrderWriter
from privstream.simulator.zerocap.words import Dialect, order_type, status, whole_second

Fields: TypeAlias = Mapping[str, Any]
PAGE = 500
SYMBOL_TEXT = re.compile(r"[A-Za-z0-9/_-]*")
CHOICES = {
    "sort_order": frozenset({"", "desc", "asc"}),
    "order_type": frozenset({"", "limit", "market"}),
    "side": frozenset({"", "buy", "sell"}),
}
TEXTS = frozenset({"symbol", "ids", "status", *CHOICES})
COUNTS = frozenset({"start_datetime", "end_datetime", "page", "limit"})


class History:
    """The account's orders."""

    FIELDS = TEXTS | COUNTS

    def __init__(self, books: Books, writer: OrderWriter, dialect: Dialect) -> None:
        self._books, self._writer, self._dialect = books, writer, dialect

    def order(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - as it stands
        order = self._books.orders.get(fields.get("id", ""))
        if order is None:
            raise invalid("order not found")  # how the real one says it is not documented
        return self._writer.listed_order(order)

    def orders(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - as they stand
        texts = _texts(fields)
        page, limit, start, end = self._numbers(fields)
        chosen = [
            order
            for order in self._books.orders.values()
            if start <= whole_second(order.created_ns) < end and _matches(order, texts)
        ]
        if texts.get("sort_order") != "asc":
            chosen.reverse()
        rows = chosen[(page - 1) * limit : page * limit]
        listed = [self._writer.listed_order(order) for order in rows]
        return {"order_list": listed, "status": "success", "total": len(chosen), "page": page}

    def _numbers(self, fields: Fields) -> tuple[int, int, int, float]:
        count = counter(fields, self._dialect)
        page, limit = paged(count, PAGE)
        return page, limit, count("start_datetime", 0), count("end_datetime", 0) or float("inf")


def counter(fields: Fields, dialect: Dialect) -> Callable[[str, int], int]:
    """Reads whole numbers; up to 0.1.35 they were also taken as strings."""

    def count(name: str, usual: int) -> int:
        value = fields.get(name, usual)
        if dialect == "old" and isinstance(value, str):
            value = int(value) if value.isascii() and value.isdigit() else value or usual
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(f"{name} is no whole number")
        return value

    return count


def paged(count: Callable[[str, int], int], most: int) -> tuple[int, int]:
    """Which page, and how long a page is."""
    page, limit = count("page", 1), count("limit", most)
    if page < 1 or not 1 <= limit <= most:
        raise invalid("page or limit is out of range")
    return page, limit


def texts_of(fields: Fields, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The fields that are texts, checked to be some."""
    for name in sorted(names & fields.keys()):
        if not isinstance(fields[name], str):
            raise invalid(f"{name} is no text")
        yield name, fields[name]


def _texts(fields: Fields) -> dict[str, str]:
    texts = dict(texts_of(fields, TEXTS))
    if not SYMBOL_TEXT.fullmatch(texts.get("symbol", "")):
        raise invalid("symbol has characters that no symbol has")
    for name, choices in CHOICES.items():
        if texts.get(name, "") not in choices:
            raise invalid(f"{name} is none of those known")
    return texts


def _matches(order: Order, texts: Mapping[str, str]) -> bool:
    said = {
        "symbol": order.symbol.name,
        "status": status(order),
        "order_type": order_type(order),
        "side": order.side,
    }
    ids = [name for name in texts.get("ids", "").split(",") if name]
    if ids and order.order_id not in ids:
        return False
    return all(texts.get(name, "") in {"", value} for name, value in said.items())

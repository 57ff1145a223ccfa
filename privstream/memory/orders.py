"""What is known of each order: whole orders from partial reports, never backwards.

The one rule: what was filled stays filled, what has ended stays ended, and a late
answer only fills in what was not known. Pure.
"""

from decimal import Decimal
from typing import Any, Literal, Self
from zlib import crc32

import msgspec

from privstream.model.events import TERMINAL
from privstream.model.exact import add, normal, subtract
from privstream.model.reports import Fill, OrderFields, OrderReport

RANK = {"unknown": 0, "pending": 0, "open": 1, "partially_filled": 2}
ENDED = 3
WAITING = 32
"""Fills of one order that wait to be added up."""
LIVE = frozenset({"pending", "open", "partially_filled"})
PROGRESS = frozenset({"filled", "cost", "average_price", "fee"})
STATUS = frozenset({"status", "exchange_status", "reason"})
SIZE: tuple[Literal["quantity", "quote_quantity"], ...] = ("quantity", "quote_quantity")
TERMS = ("quantity", "quote_quantity", "price", "stop_price")


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an order for the next run."""

    fields: dict[str, str | None]
    told: str | None
    states: dict[str, int]
    fills: tuple[str, str | None, str | None]


class KnownOrder:
    """One order, merged from everything that was told of it."""

    __slots__ = (
        "_states",
        "_told",
        "confirmed",
        "fields",
        "fills",
        "is_kept",
        "looked_up",
        "order_id",
        "parked",
    )

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.fields: OrderFields = {}
        self.fills = Fills()
        self.confirmed = 0
        """The last connection whose stream or snapshot told of the order."""
        self.parked: list[OrderReport] = []
        """Reports that wait for the rest of the order to be looked up."""
        self.looked_up = False
        self.is_kept = False
        """What was told last is noted for the next run."""
        self._told: str | None = None
        self._states: dict[str, int] = {}

    @classmethod
    def restored(cls, order_id: str, kept: bytes) -> Self:
        """As `kept` by a run before."""
        found = msgspec.json.decode(kept, type=Kept)
        order = cls(order_id)
        order.is_kept = True
        order.fields.update(found.fields)  # type: ignore[typeddict-item]  # they were once
        order.fills = Fills(*found.fills)
        order._told = found.told
        order._states.update(found.states)
        return order

    def kept(self, *, fills: bool) -> bytes:
        """What the next run must know; without `fills` where they are not remembered either."""
        fields: Any = self.fields
        sums = self.fills.sums if fills else NO_FILLS
        return msgspec.json.encode(Kept(fields, self._told, self._states, sums))

    def would_be_whole(self, told: OrderFields) -> bool:
        """With this report enough would be known to tell of the order."""
        if self.parked:
            return False  # what came first is told first
        known = self.fields
        return bool(
            (known.get("symbol") or told.get("symbol"))
            and (known.get("side") or told.get("side"))
            and any(known.get(key) or told.get(key) for key in SIZE)
        )

    @property
    def is_open(self) -> bool:
        """It has not ended, as far as is known."""
        return bool(self.fields) and self.fields.get("status") not in TERMINAL

    def merge(self, told: OrderFields, *, lagging: bool) -> None:
        """Take what a report tells; a lagging one (REST) may be older than what is known."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        ended = known.get("status") in TERMINAL
        stale = self._is_behind(told)
        before = known.get("filled")
        for key, value in told.items():
            if value is None and key in known:
                continue
            if known.get(key) is None:
                keep = key in STATUS and ended
            elif key in PROGRESS:
                keep = stale
            elif key in STATUS:
                keep = ended or stale
            else:
                keep = ended or stale or lagging
            if not keep:
                known[key] = value
        self._conclude(told)
        if before is not None and told.get("fee") is None:
            self._drop_old_fee(before)

    def _drop_old_fee(self, before: str) -> None:
        """More was filled since the fee was stated, so that is not all of it any more."""
        filled = self.fields.get("filled")
        if filled is not None and Decimal(filled) > Decimal(before):
            self.fields.pop("fee", None)

    def _is_behind(self, told: OrderFields) -> bool:
        known_filled, filled = self.fields.get("filled"), told.get("filled")
        if known_filled is not None and filled is not None:
            if Decimal(filled) < Decimal(known_filled):
                return True
            if Decimal(filled) > Decimal(known_filled):
                return False
        status = told.get("status")
        if status is None or status == "unknown":
            return False
        return _rank(status) < _rank(self.fields.get("status", "unknown"))

    def _conclude(self, told: OrderFields) -> None:
        """Draw from the amounts what the status must be, and from the status the amounts."""
        fields = self.fields
        status, quantity = fields.get("status"), fields.get("quantity")
        filled = fields.get("filled")
        if self.fills.quantity != "0" and (
            filled is None or Decimal(filled) < Decimal(self.fills.quantity)
        ):
            filled = fields["filled"] = self.fills.quantity
        if status == "filled" and "filled" not in told and quantity and filled != quantity:
            # The exchange's last word may be the bare status: then all of it was filled.
            fields["filled"] = quantity
            fields["cost"] = fields["average_price"] = None
        elif filled == "0":
            fields["average_price"] = None  # there is none without a fill, whatever is said
        elif filled is not None:
            if status in LIVE:
                whole = quantity is not None and Decimal(filled) >= Decimal(quantity)
                fields["status"] = "filled" if whole else "partially_filled"
            elif status == "rejected":
                fields["status"] = "canceled"

    @property
    def has_been_told(self) -> bool:
        return self._told is not None

    def would_change(self, told: OrderFields, *, lagging: bool) -> bool:
        """Whether these news would make another state than the last one told."""
        trial = KnownOrder(self.order_id)
        trial.fields = self.fields.copy()
        trial.fills = self.fills
        trial.merge(told, lagging=lagging)
        return trial._state() != self._told

    def next_state(self) -> str | None:
        """The id of the state now, or `None` where it was the last one told.

        A state that comes back after another one is numbered.
        """
        state = self._state()
        if state == self._told:
            return None
        self._told = state
        times = self._states[state] = self._states.get(state, 0) + 1
        return state if times == 1 else f"{state}:{times}"

    def _state(self) -> str:
        fields = self.fields
        terms = "|".join(normal(fields.get(key)) for key in TERMS)  # type: ignore[arg-type]  # texts
        return f"{fields.get('status')}:{normal(fields.get('filled'))}:{crc32(terms.encode()):08x}"

    def remaining(self) -> str | None:
        """What is not filled yet, in the base currency."""
        quantity, filled = self.fields.get("quantity"), self.fields.get("filled")
        if quantity is None or filled is None:
            return None
        left = subtract(quantity, filled)
        return None if left.startswith("-") else left  # more than all: one of them is not true

    def fee(self) -> tuple[str | None, str | None]:
        """The fee so far and its currency: as stated, else the sum of its known fills."""
        currency = self.fields.get("fee_currency")
        if (stated := self.fields.get("fee")) is not None:
            return stated, currency
        return self.fills.fee(self.fields.get("filled"), currency)


class Fills:
    """The sums of an order's known fills; added up only when somebody asks."""

    __slots__ = ("_currency", "_fee", "_quantity", "_waiting")

    def __init__(
        self, quantity: str = "0", fee: str | None = "0", currency: str | None = None
    ) -> None:
        self._quantity = quantity
        self._fee = fee
        self._currency = currency
        self._waiting: list[Fill] = []

    def take(self, fill: Fill) -> None:
        """Add a fill, each once."""
        self._waiting.append(fill)
        if len(self._waiting) >= WAITING:
            self._add_up()

    @property
    def sums(self) -> tuple[str, str | None, str | None]:
        """Quantity, fee and its currency of the known fills."""
        self._add_up()
        return self._quantity, self._fee, self._currency

    @property
    def quantity(self) -> str:
        """What was filled by the known fills."""
        if self._waiting:
            self._add_up()
        return self._quantity

    def fee(self, filled: str | None, currency: str | None) -> tuple[str | None, str | None]:
        """The sum of the fees, where all fills are known and charged in one currency."""
        if filled is None or normal(filled) != normal(self.quantity) or self._fee is None:
            return None, None
        return self._fee, self._currency or currency

    def _add_up(self) -> None:
        for fill in self._waiting:
            if fill.quantity is not None:
                self._quantity = add(self._quantity, fill.quantity)
            same = self._currency in {None, fill.fee_currency}
            if self._fee is None or fill.fee is None or not same:
                self._fee = None
            else:
                self._fee = add(self._fee, fill.fee)
                self._currency = fill.fee_currency
        self._waiting.clear()


NO_FILLS = Fills().sums


def _rank(status: str) -> int:
    return RANK.get(status, ENDED)

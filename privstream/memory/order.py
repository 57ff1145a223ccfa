"""One order: the whole of it from partial reports, never backwards.

The one rule: what was filled stays filled and what has ended stays ended. Of everything
else the newer word counts, and which one that is the exchange's own numbers and dates
decide, then the filled amount; a status word never does. Pure.
"""

from decimal import Decimal
from typing import Any, Literal, NamedTuple, Self
from zlib import crc32

import msgspec

from privstream.memory.fills import NO_FILLS, Fills, Sums
from privstream.memory.remembered import StateNames
from privstream.model.events import TERMINAL
from privstream.model.exact import normal, subtract
from privstream.model.reports import OrderFields, OrderReport
from privstream.model.times import to_nanos

LIVE = frozenset({"pending", "open", "partially_filled"})
PROGRESS = frozenset({"filled", "remaining", "cost", "average_price", "fee"})
STATUS = frozenset({"status", "exchange_status", "reason"})
LASTING = frozenset({"client_order_id", "symbol", "exchange_symbol", "created", "fee_currency"})
"""What an order does not lose: a row that has none of it leaves it out only."""
FOR_GOOD = frozenset({"symbol", "exchange_symbol", "created"})
"""What stays as it was first told: sources spell it in several ways."""
SIZE: tuple[Literal["quantity", "quote_quantity"], ...] = ("quantity", "quote_quantity")
TERMS = ("quantity", "quote_quantity", "price", "stop_price")
WITHOUT_TRIGGER = frozenset({"limit", "market", "iceberg"})
ENDED_KEYS = ("status", "filled", "cost", "average_price", *TERMS)
"""What makes another state of an order that has ended, and its reason; its type is history."""
LIVE_KEYS = ("side", "order_type", "time_in_force", "client_order_id")

PART = ":part"
"""In the name of a state whose cost is known of a part of it only."""


class Moment(NamedTuple):
    """When and where a report is taken."""

    connection: int
    received: str
    rest_lag: float
    """Seconds for which REST may still tell what was before."""


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an order for the next run."""

    fields: dict[str, str | None]
    told: str | None
    """Not `None` where the fields were emitted."""
    states: dict[str, int]
    """The states by name, as the first version kept them."""
    fills: Sums
    count: int = 0
    marks: bytes | None = b""
    dated: str | None = None
    heard: str | None = None
    flags: tuple[bool, ...] = ()


class KnownOrder:
    """One order, merged from everything that was reported of it."""

    __slots__ = (
        "_dated",
        "_emitted",
        "_has_shown_end",
        "_heard",
        "_is_whole",
        "_names",
        "_sequence",
        "_states_amounts",
        "_word",
        "_words",
        "confirmed",
        "fields",
        "fills",
        "found",
        "has_ended",
        "is_kept",
        "looked_up",
        "order_id",
        "parked",
        "touched",
    )

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.fields: OrderFields = {}
        self.fills = Fills()
        self.has_ended = False
        """The exchange said so; that all was filled by then is only a conclusion."""
        self.confirmed = 0
        """The last connection whose stream or snapshot told of the order."""
        self.parked: list[OrderReport] = []
        """Reports that wait for the rest of the order to be looked up."""
        self.found: OrderReport | None = None
        """What the look-up brought."""
        self.looked_up = False
        self.is_kept = False
        """What was emitted last is noted for the next run."""
        self.touched = 0
        """Minute of the last news, once it has ended."""
        self._emitted: int | None = None
        """A hash of what a user saw last."""
        self._has_shown_end = False
        self._names = StateNames()
        self._dated: str | None = None
        """When the terms were as they are, by the exchange."""
        self._sequence: int | None = None
        """The last report's number on the connection that confirmed the order."""
        self._heard: str | None = None
        """When the stream or a snapshot last told of the order, by our clock."""
        self._is_whole = False
        """The last report taken was the whole order: what it does not have is not there."""
        self._states_amounts = False
        """The exchange states cost or average of this order."""
        self._word: str | None = None
        """The stream's last word of its status."""
        self._words = 0
        """How often that became another."""

    # --- across runs -------------------------------------------------------------------

    @classmethod
    def restored(cls, order_id: str, kept: bytes) -> Self:
        """As `kept` by a run before."""
        found = msgspec.json.decode(kept, type=Kept)
        order = cls(order_id)
        order.is_kept = True
        order.fields.update(found.fields)  # type: ignore[typeddict-item]  # they were once
        order.fills = Fills(*found.fills)
        order._dated, order._heard = found.dated, found.heard
        ended = order.fields.get("status") in TERMINAL
        flags = found.flags or (ended, ended, False, False)
        order.has_ended, order._has_shown_end, order._is_whole, order._states_amounts = flags
        order._names.restore(found.count, found.marks)
        for state, times in found.states.items():
            order._names.recall(state, times)
        if found.told is not None:
            order._emitted = order._visible()
        return order

    def kept(self, *, fills: bool) -> bytes:
        """What the next run must know; without `fills` where they are not remembered either."""
        fields: Any = self.fields
        count, marks = self._names.kept
        flags = (self.has_ended, self._has_shown_end, self._is_whole, self._states_amounts)
        told = None if self._emitted is None else ""
        sums = self.fills.sums if fills else NO_FILLS
        return msgspec.json.encode(
            Kept(fields, told, {}, sums, count, marks, self._dated, self._heard, flags)
        )

    # --- what is known -----------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """It has not ended, as far as is known."""
        return bool(self.fields) and self.fields.get("status") not in TERMINAL

    @property
    def is_in_part(self) -> bool:
        """More must come yet: its look-up, its own word besides a fill, or its closing word."""
        return bool(self.parked) or not self.has_ended

    @property
    def has_been_emitted(self) -> bool:
        return self._emitted is not None

    def would_be_whole(self, report: OrderReport) -> bool:
        """With this report enough would be known to tell of the order."""
        if report.whole:
            return True
        known, told = self.fields, report.fields
        return bool(
            (known.get("symbol") or told.get("symbol"))
            and (known.get("side") or told.get("side"))
            and any(known.get(key) or told.get(key) for key in SIZE)
        )

    def remaining(self) -> str | None:
        """What is not filled yet, in the base currency: as stated, else what follows."""
        if (stated := self.fields.get("remaining")) is not None:
            return stated
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

    # --- what is emitted ---------------------------------------------------------------

    def next_state(self) -> str | None:
        """The name of the state now, or `None` where a user sees nothing new in it."""
        visible = self._visible()
        if visible == self._emitted:
            return None
        self._emitted = visible
        ends = self.fields.get("status") in TERMINAL
        name = self._names.name(self.state, is_new=ends and not self._has_shown_end)
        self._has_shown_end = self._has_shown_end or ends
        return name

    def would_change(self, report: OrderReport, moment: Moment) -> bool:
        """Whether this report would make another state than the one known."""
        if not self.has_been_emitted:
            return True
        return self._after(report, moment).state.replace(PART, "") != self.state.replace(PART, "")

    def _after(self, report: OrderReport, moment: Moment) -> "KnownOrder":
        """The order as it would be."""
        trial = KnownOrder(self.order_id)
        for name in self.__slots__:
            setattr(trial, name, getattr(self, name))
        trial.fields = self.fields.copy()
        trial.merge(report, moment)
        return trial

    def _visible(self) -> int:
        """A hash of what a user sees; the fee alone, and names, are no reason for an event."""
        fields: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        shown: list[str | None] = [normal(fields.get(key)) for key in ENDED_KEYS]
        shown.append(fields.get("reason"))
        shown.append(normal(fields.get("remaining")) if fields.get("filled") is None else "")
        if fields.get("status") not in TERMINAL:
            shown += [fields.get(key) for key in LIVE_KEYS]
            return hash((self._words, *shown))
        return hash(tuple(shown))

    @property
    def state(self) -> str:
        """What names the state: only what every source tells of it, whatever else is known."""
        fields = self.fields
        filled, status = fields.get("filled"), fields.get("status", "unknown")
        state = f"{status}:{normal(filled)}{PART if self._lacks_amounts() else ''}"
        if status in TERMINAL:  # an order ends once, and its terms were seen before
            return state
        return f"{state}:{self._terms():08x}"

    def _terms(self) -> int:
        fields: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        terms = [normal(fields.get(key)) for key in TERMS]
        if fields.get("order_type") in WITHOUT_TRIGGER:
            terms[-1] = ""  # of a stop that was triggered: not every source remembers it
        return crc32("|".join(terms).encode())

    def _lacks_amounts(self) -> bool:
        """More was filled than the exchange has stated the cost of yet."""
        fields = self.fields
        return (
            self._states_amounts
            and fields.get("filled") not in {None, "0"}
            and fields.get("cost") is None
            and fields.get("average_price") is None
        )

    # --- merging -----------------------------------------------------------------------

    def merge(self, report: OrderReport, moment: Moment) -> None:
        """Take what a report tells."""
        if report.source != "stream" and self.has_been_emitted and not self._is_whole:
            self._learn(report.fields)
        is_old = bool(self.fields) and self._is_old(report, moment)
        told: dict[str, Any] = report.fields  # type: ignore[assignment]  # a TypedDict is a dict
        self._take_terms(told, is_old=is_old, whole=report.whole)
        has_grown = self._take_progress(told, is_old=is_old, is_rest=report.source == "rest")
        self._take_status(report, is_old=is_old, has_grown=has_grown)
        self._conclude(told)
        if not is_old:
            self._note_age(report, moment)

    def fill_in(self, told: OrderFields) -> None:
        """Take what is not known yet, but no status: that belongs to its own moment."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key, value in told.items():
            if key not in STATUS and known.get(key) is None:
                known[key] = value

    def _learn(self, told: OrderFields) -> None:
        """What a list states besides was always so: by itself it is no reason for an event."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        was_seen = self._visible() == self._emitted
        for key in (*LIVE_KEYS, *TERMS):
            if known.get(key) is None:
                known[key] = told.get(key)
        if was_seen:
            self._emitted = self._visible()

    def begin_as(self, found: OrderReport, first: OrderReport) -> None:
        """What waits says nothing of its status: before it the order was live, and how, REST tells."""
        if first.fields.get("status") is not None or self.fields.get("status") is not None:
            return
        status = found.fields.get("status")
        self.fields["status"] = status if status is not None and status in LIVE else "open"
        if status in LIVE:
            self.fields["exchange_status"] = found.fields.get("exchange_status")

    def _take_terms(self, told: dict[str, Any], *, is_old: bool, whole: bool) -> None:
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        size = known.get("quantity")
        for key, value in told.items():
            if key in PROGRESS or key in STATUS:
                continue
            before = known.get(key)
            if value is None:
                if whole and not is_old and key not in LASTING:
                    known[key] = None
            elif before is None:
                if not (is_old and self._is_whole) or key in LASTING:
                    known[key] = value
            elif not is_old and key not in FOR_GOOD:
                known[key] = value
        if size != known.get("quantity"):
            known.pop("remaining", None)

    def _take_progress(self, told: dict[str, Any], *, is_old: bool, is_rest: bool) -> bool:
        """Take the amounts; True where more is filled than was known.

        Cost, average and fee are those of their filled amount: they never outlive it.
        """
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        if told.get("cost") is not None or told.get("average_price") is not None:
            self._states_amounts = True
        filled, before = told.get("filled"), known.get("filled")
        ahead = _compare(filled, before)
        if ahead < 0:
            return False
        # REST may round otherwise what the stream has stated of the same filled amount.
        may_correct = not is_old and (filled is None or not is_rest)
        for key in PROGRESS:
            value = told.get(key)
            if value is not None:
                if ahead > 0 or may_correct or known.get(key) is None:
                    known[key] = value
            elif ahead > 0 and before is not None:
                known.pop(key, None)
        return ahead > 0

    def _take_status(self, report: OrderReport, *, is_old: bool, has_grown: bool) -> None:
        fields, told = self.fields, report.fields
        word, known = told.get("status"), fields.get("status")
        ends = word in TERMINAL
        if self.has_ended and not (ends and has_grown):
            self._take_reason(told, is_old=True)
            return
        if word is None:
            self._take_reason(told, is_old=is_old)
            return
        if not ends and (is_old or (word == "pending" and known in LIVE)):
            return
        self._take_word(report, is_same={word, known} <= LIVE)
        fields["status"] = word
        self.has_ended = self.has_ended or ends
        self._take_reason(told, is_old=False)

    def _take_word(self, report: OrderReport, *, is_same: bool) -> None:
        """The exchange's own word; lists and REST have other ones than the stream for the same."""
        word, known = report.fields.get("exchange_status"), self.fields.get("exchange_status")
        if word is None or (is_same and known is not None and report.source != "stream"):
            return
        if report.source == "stream":
            self._words += self._word is not None and self._word != word
            self._word = word
        self.fields["exchange_status"] = word

    def _take_reason(self, told: OrderFields, *, is_old: bool) -> None:
        reason = told.get("reason")
        if reason is not None and (self.fields.get("reason") is None or not is_old):
            self.fields["reason"] = reason

    def _conclude(self, told: dict[str, Any]) -> None:
        """Draw from the amounts what the status must be, and from the status the amounts."""
        fields, known = self.fields, self.fills.quantity
        if known != "0" and _compare(known, fields.get("filled")) > 0:
            self._advance(known)
        filled, quantity = fields.get("filled"), fields.get("quantity")
        if told.get("status") == "filled" and told.get("filled") is None and quantity is not None:
            # The exchange's last word may be the bare status: then all of it was filled.
            if _compare(quantity, filled) > 0:
                self._advance(quantity)
        elif filled == "0":
            fields["average_price"] = None  # there is none without a fill, whatever is said
        elif filled is not None:
            self._conclude_status(filled, quantity)

    def _conclude_status(self, filled: str, quantity: str | None) -> None:
        fields = self.fields
        status = fields.get("status")
        if status == "rejected":
            fields["status"] = "canceled"
        elif not self.has_ended and (status in LIVE or status == "filled"):
            whole = quantity is not None and _compare(filled, quantity) >= 0
            fields["status"] = "filled" if whole else "partially_filled"

    def _advance(self, filled: str) -> None:
        """More is filled than the exchange has stated the amounts of."""
        fields: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key in PROGRESS:
            fields.pop(key, None)
        fields["filled"] = filled

    # --- old or new --------------------------------------------------------------------

    def _is_old(self, report: OrderReport, moment: Moment) -> bool:
        """What the report says of the order was so before what is known."""
        if report.fields.get("status") in TERMINAL and not self.has_ended:
            return False  # nothing comes after an end
        if self.has_ended and report.source == "rest":
            return True
        for verdict in (self._by_number, self._by_date, self._by_amount):
            is_older = verdict(report, moment)
            if is_older is not None:
                return is_older
        if self.has_ended and report.fields.get("status") not in TERMINAL:
            return True
        return self._may_lag(report, moment)

    def _by_number(self, report: OrderReport, moment: Moment) -> bool | None:
        """By the numbers of one connection, which are in the order of the sending."""
        number, last = report.sequence, self._sequence
        if number is None or last is None or number == last or report.source != "stream":
            return None
        return number < last if self.confirmed == moment.connection else None

    def _by_date(self, report: OrderReport, moment: Moment) -> bool | None:
        """By the exchange's dates; a new connection's own list is how things stand."""
        if report.source == "snapshot" and self.confirmed < moment.connection:
            return None
        if report.time is None or self._dated is None or report.time == self._dated:
            return None
        return report.time < self._dated

    def _by_amount(self, report: OrderReport, _moment: Moment) -> bool | None:
        filled, known = report.fields.get("filled"), self.fields.get("filled")
        ahead = 0 if filled is None or known is None else _compare(filled, known)
        return ahead < 0 if ahead else None

    def _may_lag(self, report: OrderReport, moment: Moment) -> bool:
        """REST may tell for a while yet what was before the stream's last word."""
        if report.source == "stream" or self._heard is None:
            return False
        if self.confirmed == moment.connection:
            return True
        if report.source == "snapshot":
            return False
        seconds = (to_nanos(moment.received) - to_nanos(self._heard)) / 1e9
        return seconds < moment.rest_lag and self._was_so(report)

    def _was_so(self, report: OrderReport) -> bool:
        """What it says of the order was emitted once."""
        trial = KnownOrder(self.order_id)
        told: dict[str, Any] = {k: v for k, v in report.fields.items() if v is not None}
        trial.fields = {**self.fields, **told}  # type: ignore[typeddict-item]  # both are
        trial._conclude(told)
        return self._names.may_have(trial.state)

    def _note_age(self, report: OrderReport, moment: Moment) -> None:
        self._is_whole = report.whole
        if report.time is not None and any(report.fields.get(key) for key in TERMS):
            self._dated = max(self._dated or "", report.time)
        if report.source == "rest":
            return
        if self.confirmed < moment.connection:
            self._sequence = None
        self.confirmed = moment.connection
        self._heard = moment.received
        if report.sequence is not None:
            self._sequence = max(self._sequence or 0, report.sequence)


def _compare(left: str | None, right: str | None) -> int:
    """Which amount is larger: 1, 0 or -1; anything is more than an unknown one."""
    if left is None:
        return 0
    if right is None:
        return 1
    if left == right:
        return 0
    one, other = Decimal(left), Decimal(right)
    return (one > other) - (one < other)

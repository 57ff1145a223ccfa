"""What is known of one order: the whole of it from partial reports, never backwards.

The one rule: what was filled stays filled and what has ended stays ended; of everything
else the newer word counts. Cost and average never outlive the amount that they are of. Pure.
"""

from typing import Any, Literal

from privstream.memory.age import Age, Moment
from privstream.memory.fills import Fills
from privstream.memory.order_states import LIVE_KEYS, TERMS, compared, name_of, visible
from privstream.model.events import TERMINAL
from privstream.model.exact import subtract
from privstream.model.reports import OrderFields, OrderReport

LIVE = frozenset({"pending", "open", "partially_filled"})
PROGRESS = frozenset({"filled", "remaining", "cost", "average_price", "fee"})
STATUS = frozenset({"status", "exchange_status", "reason"})
LASTING = frozenset({"client_order_id", "symbol", "exchange_symbol", "created", "fee_currency"})
"""What an order does not lose: a row that has none of it leaves it out only."""
FOR_GOOD = frozenset({"symbol", "exchange_symbol", "created"})
"""What stays as it was first told: sources spell it in several ways."""
SIZE: tuple[Literal["quantity", "quote_quantity"], ...] = ("quantity", "quote_quantity")


class OrderFacts:
    """One order, merged from everything that was reported of it."""

    __slots__ = (
        "age",
        "fields",
        "fills",
        "has_ended",
        "is_whole",
        "states_amounts",
        "word",
        "words",
    )

    def __init__(self) -> None:
        self.fields: OrderFields = {}
        self.fills = Fills()
        self.age = Age()
        self.has_ended = False
        """The exchange said so; that all was filled by then is only a conclusion."""
        self.is_whole = False
        """The last report taken was the whole order: what it does not have is not there."""
        self.states_amounts = False
        """The exchange states cost or average of this order."""
        self.word: str | None = None
        """The stream's last word of its status."""
        self.words = 0
        """How often that became another."""

    def copy(self) -> "OrderFacts":
        copy = OrderFacts()
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.fields, copy.age = self.fields.copy(), self.age.copy()
        return copy

    # --- what is known -----------------------------------------------------------------

    @property
    def has_status_of_end(self) -> bool:
        """As far as is known it has ended, by the exchange's word or by its fills."""
        return self.fields.get("status") in TERMINAL

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

    @property
    def name(self) -> str:
        """What the state is called."""
        fields: Any = self.fields
        lacks_amounts = (
            self.states_amounts
            and fields.get("filled") not in {None, "0"}
            and fields.get("cost") is None
            and fields.get("average_price") is None
        )
        return name_of(fields, lacks_amounts=lacks_amounts)

    @property
    def visible(self) -> int:
        """A hash of what a user sees of it."""
        fields: Any = self.fields
        return visible(fields, self.words)

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

    # --- merging -----------------------------------------------------------------------

    def merge(self, report: OrderReport, moment: Moment, *, was_so: bool) -> None:
        """Take what a report tells; `was_so`: what it says was emitted once."""
        is_old = bool(self.fields) and self._is_old(report, moment, was_so=was_so)
        told: dict[str, Any] = report.fields  # type: ignore[assignment]  # a TypedDict is a dict
        self._take_terms(told, is_old=is_old, whole=report.whole)
        has_grown = self._take_progress(told, is_old=is_old, is_rest=report.source == "rest")
        self._take_status(report, is_old=is_old, has_grown=has_grown)
        self._conclude(told)
        if not is_old:
            self.is_whole = report.whole
            self.age.take(report, moment, has_terms=any(map(told.get, TERMS)))

    def fill_in(self, told: OrderFields) -> None:
        """Take what is not known yet, but no status: that belongs to its own moment."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key, value in told.items():
            if key not in STATUS and known.get(key) is None:
                known[key] = value

    def learn(self, told: OrderFields) -> None:
        """Take of a list what is not known yet and was always so."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key in (*LIVE_KEYS, *TERMS):
            if known.get(key) is None:
                known[key] = told.get(key)

    def begin_as(self, found: OrderReport, first: OrderReport) -> None:
        """What waits says nothing of its status: before it the order was live; how, REST tells."""
        if first.fields.get("status") is not None or self.fields.get("status") is not None:
            return
        status = found.fields.get("status")
        self.fields["status"] = status if status is not None and status in LIVE else "open"
        if status in LIVE:
            self.fields["exchange_status"] = found.fields.get("exchange_status")

    def after(self, told: OrderFields) -> "OrderFacts":
        """The order if what is told were so, with nothing of it old."""
        facts = OrderFacts()
        stated: dict[str, Any] = {key: value for key, value in told.items() if value is not None}
        facts.fields = {**self.fields, **stated}  # type: ignore[typeddict-item]  # both are
        facts.states_amounts = self.states_amounts
        facts._conclude(stated)
        return facts

    def _is_old(self, report: OrderReport, moment: Moment, *, was_so: bool) -> bool:
        """What the report says of the order was so before what is known."""
        ends = report.fields.get("status") in TERMINAL
        if ends and not self.has_ended:
            return False  # nothing comes after an end
        if self.has_ended and report.source == "rest":
            return True
        is_older = self.age.is_older(report, self.fields, moment)
        if is_older is not None:
            return is_older
        return (self.has_ended and not ends) or self.age.may_lag(report, moment, was_so=was_so)

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
                if not (is_old and self.is_whole) or key in LASTING:
                    known[key] = value
            elif not is_old and key not in FOR_GOOD:
                known[key] = value
        if size != known.get("quantity"):
            known.pop("remaining", None)

    def _take_progress(self, told: dict[str, Any], *, is_old: bool, is_rest: bool) -> bool:
        """Take the amounts; True where more is filled than was known."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        if told.get("cost") is not None or told.get("average_price") is not None:
            self.states_amounts = True
        filled, before = told.get("filled"), known.get("filled")
        ahead = compared(filled, before)
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
        word, known = report.fields.get("status"), self.fields.get("status")
        ends = word in TERMINAL
        if self.has_ended and not (ends and has_grown):
            self._take_reason(report.fields, is_old=True)
        elif word is None:
            self._take_reason(report.fields, is_old=is_old)
        elif ends or not (is_old or (word == "pending" and known in LIVE)):
            self._take_word(report, is_same={word, known} <= LIVE)
            self.fields["status"] = word
            self.has_ended = self.has_ended or ends
            self._take_reason(report.fields, is_old=False)

    def _take_word(self, report: OrderReport, *, is_same: bool) -> None:
        """The exchange's own word; lists and REST have other ones than the stream for the same."""
        word, known = report.fields.get("exchange_status"), self.fields.get("exchange_status")
        if word is None or (is_same and known is not None and report.source != "stream"):
            return
        if report.source == "stream":
            self.words += self.word is not None and self.word != word
            self.word = word
        self.fields["exchange_status"] = word

    def _take_reason(self, told: OrderFields, *, is_old: bool) -> None:
        reason = told.get("reason")
        if reason is not None and (self.fields.get("reason") is None or not is_old):
            self.fields["reason"] = reason

    # --- concluding --------------------------------------------------------------------

    def _conclude(self, told: dict[str, Any]) -> None:
        """Draw from the amounts what the status must be, and from the status the amounts."""
        fields = self.fields
        if (by_fills := self.fills.more_than(fields.get("filled"))) is not None:
            self._advance(by_fills)
        filled, quantity = fields.get("filled"), fields.get("quantity")
        if told.get("status") == "filled" and told.get("filled") is None and quantity is not None:
            # The exchange's last word may be the bare status: then all of it was filled.
            if compared(quantity, filled) > 0:
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
            whole = quantity is not None and compared(filled, quantity) >= 0
            fields["status"] = "filled" if whole else "partially_filled"

    def _advance(self, filled: str) -> None:
        """More is filled than the exchange has stated the amounts of."""
        fields: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key in PROGRESS:
            fields.pop(key, None)
        fields["filled"] = filled

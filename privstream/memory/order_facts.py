"""What is known of one order: the whole of it from partial reports, never backwards.

The one rule: what was filled stays filled and what has ended stays ended; of everything
else the newer word counts. Cost and average never outlive the amount that they are of. Pure.
"""

from typing import Any, Literal

from privstream.memory.age import Age, Moment
from privstream.memory.fills import Fills
from privstream.memory.order_states import (
    LIVE_KEYS,
    TERMS,
    Terms,
    compared,
    name_of,
    terms_of,
    visible,
)
from privstream.memory.steady import PROGRESS, STATUS, Steady, parts_of
from privstream.model.events import TERMINAL
from privstream.model.exact import normal, subtract
from privstream.model.reports import OrderFields, OrderReport

LIVE = frozenset({"pending", "open", "partially_filled"})
PASSING = frozenset({"open", "partially_filled", None})
"""What the stream says of an order that goes on."""
LASTING = frozenset({"client_order_id", "symbol", "exchange_symbol", "created", "fee_currency"})
"""What an order does not lose: a row that has none of it leaves it out only."""
FOR_GOOD = frozenset({"symbol", "exchange_symbol", "created"})
"""What stays as it was first told: sources spell it in several ways."""
AMOUNTS = ("cost", "average_price")
LEARNT = (*LIVE_KEYS, *TERMS)
LEARNT_FROM_LISTS = (*LEARNT, "reason")
SIZE: tuple[Literal["quantity", "quote_quantity"], ...] = ("quantity", "quote_quantity")


class OrderFacts:
    """One order, merged from everything that was reported of it."""

    __slots__ = (
        "_steady",
        "_taken",
        "_terms",
        "age",
        "fields",
        "fills",
        "has_ended",
        "has_listed_amounts",
        "is_fixed",
        "states_amounts",
        "was_streamed",
        "word",
        "words",
    )

    def __init__(self) -> None:
        self.fields: OrderFields = {}
        """What was told: a key that is not there is unknown, a null says that there is none."""
        self.fills = Fills()
        self.age = Age()
        self.has_ended = False
        """The exchange said so; that all was filled by then is only a conclusion."""
        self.was_streamed = False
        """The stream itself has told of it."""
        self.has_listed_amounts = False
        """Cost and average of what is filled are a list's or REST's, which may round them."""
        self.is_fixed = False
        """An order whose terms never change: its states are named without them."""
        self.states_amounts = False
        """The exchange states cost or average of this order."""
        self.word: tuple[str, str | None, str] | None = None
        """The stream's last word of its status, with the status and what was filled then."""
        self.words = 0
        """How often that alone became another."""
        self._steady: Steady | None = None
        """What the last report said besides its amounts, where it was the stream's of a fill."""
        self._taken: tuple[object, ...] | None = None
        """The terms that were taken last, as they were told."""
        self._terms: Terms | None = None

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
        return name_of(fields, self.terms, lacks_amounts=lacks_amounts, is_fixed=self.is_fixed)

    @property
    def visible(self) -> int:
        """A hash of what a user sees of it."""
        fields: Any = self.fields
        return visible(fields, self.terms, self.words)

    @property
    def terms(self) -> Terms:
        """What the order asks for: most reports repeat it, or leave it out."""
        if self._terms is None:
            fields: Any = self.fields
            self._terms = terms_of(fields)
        return self._terms

    def _forget_terms(self) -> None:
        """They may become others."""
        self._steady = self._taken = self._terms = None

    def remaining(self) -> str | None:
        """What is not filled yet, in the base currency: as stated, else what follows."""
        if (stated := self.fields.get("remaining")) is not None:
            return stated
        quantity, filled = self.fields.get("quantity"), self.fields.get("filled")
        if quantity is None or filled is None:
            return None
        left = subtract(quantity, filled)
        return None if left[0] == "-" else left  # more than all: one of them is not true

    def fee(self) -> tuple[str | None, str | None]:
        """The fee so far and its currency: as stated, else the sum of its known fills."""
        currency = self.fields.get("fee_currency")
        if (stated := self.fields.get("fee")) is not None:
            return stated, currency
        return self.fills.fee(self.fields.get("filled"), currency)

    # --- merging -----------------------------------------------------------------------

    def take_next_fill(self, report: OrderReport, moment: Moment) -> bool:
        """Take the report of one more fill that says all else as the one before; else False.

        Most reports are such, and then this is all that `merge` comes to.
        """
        told: dict[str, Any] = report.fields  # type: ignore[assignment]  # a TypedDict is a dict
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        steady = self._steady
        if steady is None or not steady.is_repeated(report, told):
            return False
        if compared(told.get("filled"), known["filled"]) <= 0:
            return False
        if self.age.is_older(report, self.fields, moment):
            return False
        self.states_amounts = self.states_amounts or _brings_amounts(told)
        for key in steady.amounts:
            if (value := told[key]) is None:
                known.pop(key, None)
            else:
                known[key] = value
        if (by_fills := self.fills.more_than(known["filled"])) is not None:
            self._advance(by_fills)
        if (status := told.get("status")) is not None:
            known["status"] = status
        self._conclude_status(known["filled"], known.get("quantity"))
        if (word := told.get("exchange_status")) is not None:
            known["exchange_status"] = word
            self.word = (word, known["status"], normal(known["filled"]))
        self.age.take(report, moment, has_terms=steady.has_terms)
        return True

    def merge(self, report: OrderReport, moment: Moment, *, was_so: bool) -> None:
        """Take what a report tells; `was_so`: what it says was emitted once."""
        is_old = bool(self.fields) and self._is_old(report, moment, was_so=was_so)
        self._steady = None
        told: dict[str, Any] = report.fields  # type: ignore[assignment]  # a TypedDict is a dict
        is_stream = report.source == "stream"
        self._take_terms(told, is_old=is_old, whole=report.whole)
        has_grown = self._take_progress(told, is_old=is_old, is_stream=is_stream)
        self._take_status(report, is_old=is_old, has_grown=has_grown)
        self._conclude(told)
        if is_stream:
            self.was_streamed = True
            self._hear(told.get("exchange_status"))
        self.is_fixed = self.is_fixed or report.is_fixed
        if not is_old:
            has_terms = any(map(told.get, TERMS))
            self.age.take(report, moment, has_terms=has_terms)
            if is_stream and has_grown and not self.has_ended and told.get("status") in PASSING:
                self._steady = self._steady_in(report, has_terms=has_terms)

    def _steady_in(self, report: OrderReport, *, has_terms: bool) -> Steady | None:
        """What the next report may repeat; `None` where more amounts are known than it told."""
        steady = Steady.of(report, has_terms=has_terms)
        return steady if PROGRESS.intersection(self.fields).issubset(steady.amounts) else None

    def fill_in(self, told: OrderFields) -> None:
        """Take what is not known yet, but no status: that belongs to its own moment."""
        self._forget_terms()
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key, value in told.items():
            if key not in STATUS and value is not None and known.get(key) is None:
                known[key] = value

    def may_learn(self, report: OrderReport) -> bool:
        """Whether what it tells that was unknown was so all the time.

        Lists and REST tell how things stand, and so does the stream's first word of an order
        that they told of before; from then on what the stream says is news.
        """
        return report.source != "stream" or not self.was_streamed or self.has_listed_amounts

    def learn(self, report: OrderReport) -> None:
        """Take what nobody had told yet; where lists and REST round, the stream's own digits."""
        told: dict[str, Any] = report.fields  # type: ignore[assignment]  # a TypedDict is a dict
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        is_stream = report.source == "stream"
        self._forget_terms()
        if not (is_stream and self.was_streamed):
            for key in LEARNT if is_stream else LEARNT_FROM_LISTS:
                if key not in known and (value := told.get(key)) is not None:
                    known[key] = value
        if compared(told.get("filled"), known.get("filled")) == 0:
            self._learn_amounts(known, told, is_stream=is_stream)

    def _learn_amounts(
        self, known: dict[str, Any], told: dict[str, Any], *, is_stream: bool
    ) -> None:
        """Cost and average of the same filled amount, where not both of them are news."""
        if all(known.get(key) is None for key in AMOUNTS):
            return
        for key in AMOUNTS:
            value, before = told.get(key), known.get(key)
            if value is not None and (before is None or (is_stream and self.has_listed_amounts)):
                known[key] = value

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
        keys = tuple(told)
        taken = keys, parts_of(keys).terms(told), is_old, whole
        if taken != self._taken:  # an order's fills all repeat the same
            self._forget_terms()
            self._merge_terms(told, is_old=is_old, whole=whole)
            self._taken = taken

    def _merge_terms(self, told: dict[str, Any], *, is_old: bool, whole: bool) -> None:
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
                if not is_old or key not in known or key in LASTING:
                    known[key] = value
            elif not is_old and key not in FOR_GOOD:
                known[key] = value
        if size != known.get("quantity"):
            known.pop("remaining", None)

    def _take_progress(self, told: dict[str, Any], *, is_old: bool, is_stream: bool) -> bool:
        """Take the amounts; True where more is filled than was known."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        brings_amounts = _brings_amounts(told)
        self.states_amounts = self.states_amounts or brings_amounts
        filled, before = told.get("filled"), known.get("filled")
        ahead = compared(filled, before)
        if ahead < 0:
            return False
        # Lists may round otherwise what the stream has stated of the same filled amount.
        may_correct = not is_old and (filled is None or is_stream)
        if ahead > 0 or (may_correct and brings_amounts):
            self.has_listed_amounts = brings_amounts and not is_stream
        if ahead > 0 and before is not None:
            self._replace_amounts(told)
            return True
        for key in PROGRESS:
            value = told.get(key)
            if value is not None and (ahead > 0 or may_correct or known.get(key) is None):
                known[key] = value
        return ahead > 0

    def _replace_amounts(self, told: dict[str, Any]) -> None:
        """More is filled: what was known of less is over."""
        known: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key in PROGRESS:
            value = told.get(key)
            if value is not None:
                known[key] = value
            elif key in known:
                del known[key]

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
        self.fields["exchange_status"] = word

    def _hear(self, word: str | None) -> None:
        """The stream's own word: another one for a status that it told already is news."""
        if word is None or word != self.fields.get("exchange_status"):
            return
        stands = self.fields.get("status"), normal(self.fields.get("filled"))
        if self.word is not None and self.word != (word, *stands):
            self.words += self.word[1:] == stands
        self.word = (word, *stands)

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
        is_filled = told.get("status") == fields.get("status") == "filled"
        if is_filled and told.get("filled") is None and quantity is not None:
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
            # More than all of it: one of the two is not true, and the order is as live as it says.
            whole = quantity is not None and compared(filled, quantity) == 0
            fields["status"] = "filled" if whole else "partially_filled"

    def _advance(self, filled: str) -> None:
        """More is filled than the exchange has stated the amounts of."""
        fields: dict[str, Any] = self.fields  # type: ignore[assignment]  # a TypedDict is a dict
        for key in PROGRESS:
            fields.pop(key, None)
        fields["filled"] = filled


def _brings_amounts(told: dict[str, Any]) -> bool:
    return told.get("cost") is not None or told.get("average_price") is not None

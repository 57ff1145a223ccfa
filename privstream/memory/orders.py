"""The orders of one account: each state once, whole, in the order in which it happened.

The one rule: nothing is forgotten that may still bring news: an order that is open, that
waits for its look-up, or of which only a part was told. Pure.
"""

from collections import deque
from collections.abc import Iterable

from privstream.memory.order import KnownOrder
from privstream.memory.remembered import Remembered, minute_of
from privstream.memory.run import Run
from privstream.model.events import Order
from privstream.model.reports import Fill, OrderFields, OrderReport

ENDED = 256
"""So many ended orders are kept whole, a kilobyte each, to tell late news of them from news."""
ENDED_MINUTES = 5
"""And all that ended in the last minutes: REST lags by one at most."""
UNCHANGING = ("client_order_id", "symbol", "exchange_symbol", "side", "order_type", "created")
UNFINISHED_MINUTES = 24 * 60
"""What came of an order without its own word, or its closing word, is waited for so long."""


class Orders:
    """What is known of every order."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._are_emitted = run.emits("orders")
        self._known: dict[str, KnownOrder] = {}
        self._ended: deque[KnownOrder] = deque()
        self._unfinished: deque[KnownOrder] = deque()
        self._forgotten = Remembered()
        """Orders whose end was emitted; REST reads them back once more."""
        self.wanted: set[str] = set()
        """Orders that must be looked up before their news can be emitted."""
        self.followed: set[str] = set()
        """Orders emitted at first sight even where they ended before the start."""

    def __len__(self) -> int:
        return len(self._known)

    @property
    def open(self) -> frozenset[str]:
        return frozenset(order.order_id for order in self._known.values() if order.is_open)

    @property
    def suspects(self) -> frozenset[str]:
        """Orders held as open that this connection has not told of."""
        connection = self._run.connection
        return frozenset(
            order.order_id
            for order in self._known.values()
            if order.is_open and order.facts.age.confirmed < connection
        )

    def doubt_open(self, order_ids: Iterable[str]) -> None:
        """These are open by the stream's last word, and the exchange knows them no more."""
        for order_id in order_ids:
            if (order := self._known.get(order_id)) is not None and order.is_open:
                order.facts.age.refuted()

    def has_emitted(self, order_id: str) -> bool:
        """Whether anything was emitted of the order."""
        order = self._known.get(order_id)
        if order is not None:
            return order.has_been_emitted
        return self._forgotten.has(order_id, None)

    # --- reports -----------------------------------------------------------------------

    def take(self, report: OrderReport) -> list[Order]:
        """What a report means for the user."""
        order = self._known.get(report.order_id)
        if order is None:
            if self._forgotten.has(report.order_id, None):
                return []  # its end was emitted
            order = self._known[report.order_id] = KnownOrder(report.order_id)
        if order.parked and not order.looked_up:
            return self._take_while_parked(order, report)
        if not order.has_been_emitted and self._must_wait(order, report):
            order.parked.append(report)
            self.wanted.add(order.order_id)
            return []
        return self._merge(order, report)

    def _must_wait(self, order: KnownOrder, report: OrderReport) -> bool:
        if order.looked_up or report.source == "rest":
            return False
        return self._are_emitted and not order.facts.would_be_whole(report)

    def _take_while_parked(self, order: KnownOrder, report: OrderReport) -> list[Order]:
        """What was told first is emitted first, as soon as enough is known of the order."""
        if report.source == "rest":
            order.facts.fill_in(report.fields)
            order.found = report
            return []
        order.parked.append(report)
        # Has the stream itself brought the rest?
        return self._release(order) if order.facts.would_be_whole(report) else []

    def settle(self, order_ids: Iterable[str] | None = None) -> list[Order]:
        """Emit what waited for a look-up, whole if the look-up brought it, else as it is."""
        due = self.wanted if order_ids is None else self.wanted & {*order_ids}
        return [event for order_id in sorted(due) for event in self._release(self._known[order_id])]

    def _release(self, order: KnownOrder) -> list[Order]:
        self.wanted.discard(order.order_id)
        order.looked_up = True
        waiting, order.parked = order.parked, []
        found, order.found = order.found, None
        for report in waiting:
            order.facts.fill_in(_unchanging(report.fields))
        if found is not None:
            order.facts.begin_as(found, waiting[0])
        events = [event for report in waiting for event in self._merge(order, report)]
        if found is not None and order.is_open:
            events += self._merge(order, found)
        return events

    def _merge(self, order: KnownOrder, report: OrderReport) -> list[Order]:
        is_first = not order.has_been_emitted
        order.merge(report, self._run.moment)
        state = order.next_state()
        if state is None:
            if order.has_learnt and order.is_kept:
                self._note(order, None)
            return []
        if not order.is_open:
            self._forget_later(order)
            if is_first and order.order_id not in self.followed and self._is_past(report):
                return []
        event = self._event(order, report, state)
        return [] if event is None else [event]

    def _is_past(self, report: OrderReport) -> bool:
        """It ended before the start, or so long ago that it was emitted and forgotten."""
        if report.source == "stream" or report.time is None:
            return False
        return self._run.is_before_start(report.time) or self._forgotten.is_past(report.time)

    def _event(self, order: KnownOrder, report: OrderReport, state: str) -> Order | None:
        run, fields = self._run, order.facts.fields
        if not run.shows(fields.get("symbol"), fields.get("exchange_symbol")):
            order.is_kept = False
            return None
        if not self._are_emitted:
            if order.is_open or order.is_kept:  # its fills may be read back by its id only
                self._note(order, None)
            return None
        source = run.source_of(report)
        identity = f"{run.view.account}:order:{order.order_id}:{state}"
        if run.journal is not None:
            self._note(order, identity if source else None)
        if source is None:
            return None
        run.count("order", source)
        return run.make.order(order, report, identity, source, run.moment.received)

    def would_emit(self, report: OrderReport) -> bool:
        """Whether taking a report that was read back would emit something; changes nothing."""
        known = self._known.get(report.order_id)
        if known is None or not known.fields:  # at most a fill told of it
            is_known = self._forgotten.has(report.order_id, None)
            return self._run.emits("orders") and not is_known and not self._is_past(report)
        return known.would_change(report, self._run.moment)

    # --- fills -------------------------------------------------------------------------

    def fields_of(self, order_id: str) -> OrderFields:
        """What is known of an order."""
        order = self._known.get(order_id)
        return {} if order is None else order.fields

    def take_fill(self, order_id: str, fill: Fill) -> OrderFields:
        """Add a new fill to its order, and return what is known of that."""
        order = self._known.get(order_id)
        if not self._are_emitted:
            return {} if order is None else order.fields
        if order is None:
            if self._forgotten.has(order_id, None):
                return {}
            order = self._known[order_id] = KnownOrder(order_id)
            self._forget_later(order)
        order.facts.fills.take(fill)
        return order.facts.fields

    # --- forgetting --------------------------------------------------------------------

    def _forget_later(self, order: KnownOrder) -> None:
        now = order.touched = minute_of(self._run.received)
        self._ended.append(order)
        while len(self._ended) > ENDED and _age(self._ended[0], now) >= ENDED_MINUTES:
            oldest = self._ended.popleft()
            if oldest.is_in_part and not oldest.is_open:
                self._unfinished.append(oldest)
            else:
                self._forget(oldest)
        while self._unfinished and _age(self._unfinished[0], now) >= UNFINISHED_MINUTES:
            self._forget(self._unfinished.popleft())

    def _forget(self, order: KnownOrder) -> None:
        if order.is_open or order.parked:  # a fill came before its order: that is news yet
            return
        if self._known.pop(order.order_id, None) is None or not order.has_been_emitted:
            return
        # Not by the time of its end: sources date that in several ways, or not at all.
        self._forgotten.add(order.order_id, None, self._run.received)
        journal = self._run.journal
        if journal is not None and order.is_kept:
            journal.forget("order", order.order_id)
            journal.keep("forgotten", order.order_id)

    def resume_from(self, proven: str) -> None:
        """A run before emitted everything until then."""
        self._forgotten.resume_from(proven)

    def forget(self, proven: str) -> None:
        """Everything until this moment was delivered."""
        self._forgotten.forget(proven)

    # --- across runs -------------------------------------------------------------------

    def restore(self, order_id: str, kept: bytes) -> None:
        """An order of a run before."""
        order = self._known[order_id] = KnownOrder.restored(order_id, kept)
        if not order.is_open:
            self._ended.append(order)

    def restore_forgotten(self, order_id: str) -> None:
        """An order whose end a run before emitted."""
        self._forgotten.restore(order_id, None)

    def _note(self, order: KnownOrder, event: str | None) -> None:
        journal = self._run.journal
        if journal is not None:
            kept = order.kept(fills=self._run.emits("trades"))
            journal.keep("order", order.order_id, kept, event=event, lasting=order.is_open)
            order.is_kept = True

    def note_fill(self, order_id: str, event: str | None) -> None:
        """The order's sums hold the fill: where one is kept the other must be."""
        order = self._known.get(order_id)
        if order is not None and self._run.emits("orders"):
            self._note(order, event)


def _unchanging(told: OrderFields) -> OrderFields:
    """What an order is from its beginning to its end."""
    return {key: told[key] for key in UNCHANGING if key in told}  # type: ignore[return-value,literal-required]  # a part of it


def _age(order: KnownOrder, now: int) -> int:
    """Minutes since its last news; those of a run before count from now on."""
    order.touched = order.touched or now
    return now - order.touched

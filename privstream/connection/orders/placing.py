"""Places one order.

The one rule: an order is sent once. Where its answer is lost it is looked for, by its
client id, over REST and on new connections; what is not found has an unknown fate, and
that is what is said. Runs in the main thread.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Literal, TypeVar

from msgspec import structs

from privstream.connection.orders.broker import (
    ANSWER_LIMIT,
    LOOK_LIMIT,
    LOOKS_FOR,
    STREAM_LIMIT,
    SYNC_LIMIT,
    Broker,
    Line,
    definite,
    is_doubtful,
)
from privstream.connection.orders.likeness import differences, is_absolute, of_another
from privstream.model.errors import (
    FateUnknown,
    PermissionMissing,
    PrivstreamError,
    TokenRefused,
    Unreachable,
)
from privstream.model.events import TERMINAL, Order, Trade
from privstream.model.order_entry import Answered, RestEntry, SocketEntry, Ticket
from privstream.model.reports import AnyReport, OrderReport
from privstream.model.rest import Call, HttpRequest, RestFlow, Stamp
from privstream.model.times import from_nanos

T = TypeVar("T")
REQUEST = 1
SKEW_NS = 10 * 10**9
"""How far our idea of the exchange's clock may be off."""
FRESH_NS = 3600 * 10**9
"""An id that was made for this order names no older one, whatever the clocks say."""


class Placement:
    """One order on its way. `ticket` is a prepared one.

    `has_fresh_id`: its client id was made for it and never used before.
    """

    def __init__(self, broker: Broker, ticket: Ticket, *, has_fresh_id: bool = False) -> None:
        self._broker = broker
        self._ticket = ticket
        self._has_fresh_id = has_fresh_id
        self.state: Literal["unsent", "sent", "placed", "refused"] = "unsent"
        self._sent_at = broker.client.clock.now()
        """When it was sent; before that: when it was begun."""
        self.order_id: str | None = None
        """As soon as it is known, in state `placed`."""
        self.was_lost = False
        """Its answer was."""
        self._before: frozenset[str] = frozenset()
        """Ids that the exchange listed before it was sent: none of them is this order."""
        self._found: dict[str, Order | None] = {}
        """By id: orders that fit, as far as they were told."""
        self._unlike: dict[str, list[str]] = {}
        """By id: orders of the same client id or reference, and what of them is not as sent."""
        self._hidden: dict[str, list[str]] = {}
        """The same of the terms that only the exchange's own rows state."""

    def run(self) -> Order | None:
        """Place it; `None` where the exchange was only asked whether it would take it.

        Raises Refused where it was not placed, FateUnknown where nobody can tell, Unreachable
        where nothing was sent.
        """
        entry = self._broker.entry
        if isinstance(entry, SocketEntry):
            return self._over_socket()
        if isinstance(entry, RestEntry):
            return self._over_rest(entry)
        raise TypeError("order entry is over a socket or over REST")

    @property
    def sent_ns(self) -> int:
        """When it was sent, by the exchange's clock, as far as answers have told that by now."""
        return self._sent_at.wall_ns + self._broker.client.rest.skew_ns

    @property
    def _since_ns(self) -> int:
        """What was born before it is another order, whatever the clocks say."""
        return self.sent_ns - (FRESH_NS if self._has_fresh_id else SKEW_NS)

    @property
    def client_order_id(self) -> str | None:
        return self._ticket.client_order_id

    def doubt(self) -> FateUnknown | None:
        """What must be said where this was broken off between sending and its answer."""
        if self.state != "sent" or self._ticket.validate:
            return None
        return self._unknown("the order was sent, and broken off before its answer was known")

    def how_to_look(self) -> str:
        """The command that shows the order, open or not."""
        account = self._broker.client.exchange.account
        name = self.order_id or self.client_order_id
        if name is not None:
            return f"look with `privstream order get {account.exchange} {name} -a {account.name}`"
        listing = f"privstream order list {account.exchange} -a {account.name}"
        return f"look with `{listing}`, and at its fills, since a list has open orders only,"

    # --- sending -----------------------------------------------------------------------

    def _over_socket(self) -> Order | None:
        answer: Answered | None = None
        line: Line | None = None
        order: Order | None = None
        problem: PrivstreamError = Unreachable("none came")
        try:
            with self._broker.connected() as line:
                answer = self._answer_on(line)
                if answer is not None and answer.error is None:
                    order = self._told_on(line, answer)
        except PrivstreamError as broken:
            if self.state == "unsent":
                raise
            problem = broken
        if line is not None:
            # What was read stays read, whatever came behind it.
            answer = answer or line.answer(REQUEST)
            self._take(line.orders())
        if answer is None:
            return self._look_for(problem)
        if answer.error is not None:
            return self._refused(answer.error, line)
        return order or self._known()

    def _answer_on(self, line: Line) -> Answered | None:
        message = line.desk.place_message(self._ticket, REQUEST)
        if not self._has_fresh_id:
            line.step_until(lambda: line.talk.is_synced, SYNC_LIMIT)
            self._before = self._standing(line.orders())
        self._departed()
        line.talk.say(message)
        line.step_until(lambda: self._is_answered(line) or self._is_told(line), ANSWER_LIMIT)
        # Once the stream has told of the order its answer is not long in coming, or is lost.
        line.step_until(lambda: self._is_answered(line), STREAM_LIMIT)
        return line.answer(REQUEST)

    def _standing(self, listed: Iterable[Order | Trade] = ()) -> frozenset[str]:
        """What was there before, of the same name and recently: looked up, and listed."""
        flow = self._broker.entry.find(self._ticket, self._since_ns)
        told = self._broker.ask(flow, deadline=LOOK_LIMIT)
        ids = {event.order_id for event in (*listed, *told) if isinstance(event, Order | Trade)}
        return frozenset(order_id for order_id in ids if order_id is not None)

    def _is_answered(self, line: Line) -> bool:
        return line.answer(REQUEST) is not None

    def _is_told(self, line: Line) -> bool:
        named = self._ticket.client_order_id
        order = None if named is None else line.order(named)
        return order is not None and order.order_id not in self._before and self._fits(order)

    def _refused(self, error: PrivstreamError, line: Line | None) -> Order | None:
        if isinstance(error, TokenRefused | PermissionMissing) and line is not None:
            can_renew = self._broker.drops(line.token) and line.is_cached
            if can_renew and isinstance(error, TokenRefused):
                self.state = "unsent"
                return self._over_socket()
        if is_doubtful(error):
            return self._look_for(error)
        self.state = "refused"
        raise definite(error)

    def _told_on(self, line: Line, answer: Answered) -> Order | None:
        """The order as the stream tells it, once the exchange has taken it."""
        self.state = "placed"
        for warning in answer.warnings:
            self._broker.say(f"{self._broker.title} warns: {warning}")
        self.order_id = next(iter(answer.order_ids), None)
        name = self.order_id or self._ticket.client_order_id
        if name is None or self._ticket.validate:
            return None
        return line.settle(name, lambda order: order.status not in {"pending", "unknown"})

    def _known(self) -> Order | None:
        """The order over REST, or else as much of it as is certain."""
        if self._ticket.validate:
            return None
        name = self.order_id or self._ticket.client_order_id
        told = self._found.get(name or "") or next(filter(None, self._found.values()), None)
        if told is not None:
            return told
        with suppress(PrivstreamError):
            if name is not None:
                said = self._broker.get(name, deadline=LOOK_LIMIT)
                return next(event for event in said if isinstance(event, Order))
        self._broker.say(
            "the order was taken, but neither the stream nor REST tells of it yet: "
            "its status is not known"
        )
        return self._as_ordered(name or "")

    def _over_rest(self, entry: RestEntry) -> Order | None:
        if not (self._has_fresh_id or self._ticket.client_order_id is None):
            self._before = self._standing()
        try:
            flow = departing(entry.place(self._ticket), self._departed)
            said = self._broker.ask(flow)
        except PrivstreamError as problem:
            if self.state == "unsent" or (isinstance(problem, Unreachable) and problem.never_sent):
                self.state = "unsent"
                raise
            return self._refused(problem, None)
        order = next((event for event in said if isinstance(event, Order)), None)
        if order is None and not self._ticket.validate:
            return self._look_for(Unreachable("the answer names no order"))
        symbol_of = type(self._broker.client.exchange).symbol_of
        if order is not None and (other := of_another(order, self._ticket, symbol_of)):
            return self._look_for(Unreachable(f"the answer is of another order: {other}"))
        self.state = "placed"
        self.order_id = None if order is None else order.order_id
        return order

    def _departed(self) -> None:
        self._sent_at = self._broker.client.clock.now()
        self.state = "sent"

    # --- a lost answer -----------------------------------------------------------------

    def _look_for(self, why: PrivstreamError) -> Order:
        """The order, if it can be found. Never sends anything again."""
        if self._ticket.validate:
            self.state = "unsent"
            raise Unreachable(
                f"{self._broker.title} did not answer whether it would take the order: "
                f"{why.message}",
                "nothing was placed; try again",
            ) from why
        self.was_lost = True
        self._broker.client.check()  # who was told to stop does not begin to look
        self._broker.say(
            f"the answer was lost ({why.message}); looking for the order, "
            f"for up to {LOOKS_FOR:.0f} s{self._named()}"
        )
        for pause in self._broker.looks():
            if not self._found:
                self._look_over_rest()
            if self._found:
                return self._the_one()
            self._listen(pause)
        raise self._unknown(
            f"the order was sent, its answer was lost, and it was not found in {LOOKS_FOR:.0f} s"
            f"{self._found_instead()}"
        ) from why

    def _look_over_rest(self) -> None:
        with self._forgiving("look over REST"):
            found = self._broker.ask(self._rows_of_its_name(), deadline=LOOK_LIMIT)
            self._take(event for event in found if isinstance(event, Order))

    def _rows_of_its_name(self) -> RestFlow[tuple[AnyReport, ...]]:
        """What REST has of orders of its name; terms of theirs that no event shows are compared."""
        reports = yield from self._broker.entry.find(self._ticket, self._since_ns)
        for report in reports:
            if isinstance(report, OrderReport):
                unlike = self._broker.entry.unlike(report.element, self._ticket)
                self._hidden[report.order_id] = unlike
        return reports

    def _listen(self, seconds: float) -> None:
        """Hear for so long what a new connection lists and tells."""
        until = self._broker.monotonic() + seconds
        if seconds and isinstance(self._broker.entry, SocketEntry) and self._ticket.client_order_id:
            with self._forgiving("new connection"), self._broker.connected() as line:

                def is_found() -> bool:
                    self._take(line.orders())
                    return bool(self._found)

                line.step_until(is_found, until - self._broker.monotonic())
        if not self._found:
            self._broker.pause(until - self._broker.monotonic())

    def _forgiving(self, what: str) -> "_Forgiving":
        return _Forgiving(what, self._broker.client.note)

    def _take(self, told: Iterable[Order | Trade]) -> None:
        """Take note of what fits the order that was sent."""
        for event in told:
            order_id = event.order_id
            if order_id is None or order_id in self._before or not self._fits(event):
                continue
            self._found[order_id] = event if isinstance(event, Order) else self._found.get(order_id)

    def _fits(self, event: Order | Trade) -> bool:
        """It is the order that was sent, and not only one of the same name."""
        born = event.created if isinstance(event, Order) else event.time
        if born is not None and born < from_nanos(self._since_ns):
            return False
        named = self._ticket.client_order_id
        if named is not None and event.client_order_id != named:
            return False
        if self._has_fresh_id:
            return True
        if isinstance(event, Trade) or (named is None and event.source != "rest"):
            # A fill does not say what was ordered; `find` brought only orders of the reference.
            return False
        unlike = differences(event, self._ticket, type(self._broker.client.exchange).symbol_of)
        unlike += self._hidden.get(event.order_id or "", ())
        if unlike and event.order_id is not None:
            self._unlike[event.order_id] = unlike
        return not unlike

    def _found_instead(self) -> str:
        """Orders of the same name that are not the one that was sent."""
        if not self._unlike:
            return ""
        told = (f"{order_id} ({', '.join(unlike)})" for order_id, unlike in self._unlike.items())
        return f"; found instead, and not what was sent: {'; '.join(told)}"

    def _the_one(self) -> Order:
        if len(self._found) > 1:
            raise self._unknown(
                "the order was sent, its answer was lost, and more than one order fits: "
                + ", ".join(sorted(self._found))
            )
        ((self.order_id, order),) = self._found.items()
        self.state = "placed"
        self._broker.say(f"the answer was lost, but the order was found: {self.order_id}")
        if order is not None:
            return order
        said = [self._as_ordered(self.order_id)]
        with suppress(PrivstreamError):  # only a fill of it was told
            found = self._broker.get(self.order_id, deadline=LOOK_LIMIT)
            said = [event for event in found if isinstance(event, Order)]
        return said[0]

    def _named(self) -> str:
        named = self._ticket.client_order_id
        if named is not None:
            return f"; client id {named}"
        return "".join(f"; {key} {value}" for key, value in self._ticket.options.items())

    def _unknown(self, what: str) -> FateUnknown:
        return FateUnknown(
            f"{what}: its fate is unknown, it may be open or filled{self._named()}",
            f"{self.how_to_look()} before you place it again",
        )

    def _as_ordered(self, order_id: str) -> Order:
        """What is certain of an order that was taken and not told of."""
        account, ticket = self._broker.client.exchange.account, self._ticket
        # Options may turn a quantity into one of the quote currency, and a price into a distance.
        is_plain = not ticket.options
        return Order(
            exchange=account.exchange,
            account=account.name,
            id=None,
            time=None,
            received=from_nanos(self._broker.client.clock.now().wall_ns),
            source="stream" if isinstance(self._broker.entry, SocketEntry) else "rest",
            sequence=None,
            order_id=order_id,
            client_order_id=ticket.client_order_id,
            symbol=None,
            exchange_symbol=ticket.symbol,
            side=ticket.side,
            order_type=ticket.order_type,
            time_in_force=ticket.time_in_force,
            status="unknown",
            exchange_status=None,
            price=_absolute(ticket.price) if is_plain else None,
            stop_price=_absolute(ticket.stop_price) if is_plain else None,
            quantity=ticket.quantity if is_plain else None,
            quote_quantity=None,
            filled=None,
            remaining=None,
            average_price=None,
            cost=None,
            fee=None,
            fee_currency=None,
            reason=None,
            created=None,
        )


class _Forgiving(suppress):
    """A look that does not get there is no answer: noted, and made again later."""

    def __init__(self, what: str, note: Callable[[str], None]) -> None:
        super().__init__(PrivstreamError)
        self._what = what
        self._note = note

    def __exit__(self, kind: object, problem: object, trace: object) -> bool:
        if isinstance(problem, PrivstreamError):
            self._note(f"{self._what}: {problem.message}")
            return True
        return False


def _absolute(price: str | None) -> str | None:
    return price if price is not None and is_absolute(price) else None


def came_to_nothing(order: Order) -> bool:
    """The exchange took the order and ended it without a fill: a person wanted something else."""
    if order.status == "rejected":
        return True
    return order.status in TERMINAL - {"filled"} and Decimal(order.filled or 0) == 0


def departing(flow: RestFlow[T], departed: Callable[[], None]) -> RestFlow[T]:
    """The same flow, which says when a request of it is made: from then on it may be on its way."""

    def marked(call: Call) -> Call:
        def build(stamp: Stamp) -> HttpRequest:
            request = call.build(stamp)
            departed()
            return request

        return structs.replace(call, build=build)

    try:
        call = next(flow)
        while True:
            call = flow.send((yield marked(call)))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()

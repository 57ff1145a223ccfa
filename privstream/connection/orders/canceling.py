"""Cancels orders of one account.

The one rule: a cancel is sent once. What is printed as ended is what the exchange told as
ended: where its answer or the end is not told, the order is looked at, and what is still
open then is said to be so. Runs in the main thread.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

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
from privstream.model.errors import (
    FateUnknown,
    PermissionMissing,
    PrivstreamError,
    Refused,
    TokenRefused,
    Unreachable,
)
from privstream.model.events import TERMINAL, Order
from privstream.model.order_entry import Answered

ALL = "all open orders"


@dataclass
class Request:
    """One cancel: of one order, or of all."""

    name: str
    """The exchange's id or the client's."""
    number: int
    is_sent: bool = False
    answer: Answered | None = None


@dataclass
class Outcome:
    """What came of it."""

    ended: list[Order] = field(default_factory=list)
    """As they were told last, in the order in which they were named."""
    problems: list[PrivstreamError] = field(default_factory=list)


class Cancellation:
    """Cancels that are made together. Without names: of every open order."""

    def __init__(self, broker: Broker, names: tuple[str, ...] = ()) -> None:
        self._broker = broker
        self._is_all = not names
        numbers = count(1)
        self._requests = [Request(name, next(numbers)) for name in dict.fromkeys(names or (ALL,))]
        self._names = tuple(dict.fromkeys(names))
        """The orders that are to end; of all, those that were open before."""
        self._before: frozenset[str] = frozenset()
        """Of a cancel of all: what had ended before it was sent."""
        self._told: dict[str, Order] = {}
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Cancel. Raises only where nothing was sent: Refused and Unreachable."""
        line = self._on_a_line()
        if self._has_dead_token(line):
            self._requests = [Request(request.name, request.number) for request in self._requests]
            self._on_a_line()
        self._look_at_unsettled()
        return self._concluded()

    def doubt(self) -> FateUnknown | None:
        """What must be said where this was broken off after something was sent."""
        sent = [request.name for request in self._requests if request.is_sent]
        if not sent:
            return None
        return self._unknown(f"broken off after the cancel of {', '.join(sent)} was sent")

    # --- sending -----------------------------------------------------------------------

    def _on_a_line(self) -> Line | None:
        line: Line | None = None
        try:
            with self._broker.connected() as line:
                if self._is_all:
                    self._note_open(line)
                self._send(line)
                line.step_until(lambda: self._are_answered(line), ANSWER_LIMIT)
                line.step_until(lambda: self._is_all_told(line), STREAM_LIMIT)
        except PrivstreamError as problem:
            if not any(request.is_sent for request in self._requests):
                raise
            self._broker.client.check()
            self._broker.say(f"the connection ended before all was answered ({problem.message})")
        if line is not None:
            self._are_answered(line)
            self._note_told(line)
        return line

    def _note_open(self, line: Line) -> None:
        line.step_until(lambda: line.talk.is_synced, SYNC_LIMIT)
        listed = {order.order_id: order for order in line.orders() if isinstance(order, Order)}
        if not line.talk.is_synced:
            said = self._broker.ask(self._broker.entry.open_orders({}))
            listed |= {order.order_id: order for order in said if isinstance(order, Order)}
        self._before = frozenset(n for n, order in listed.items() if order.status in TERMINAL)
        self._names = tuple(name for name in listed if name not in self._before)

    def _send(self, line: Line) -> None:
        for request in self._requests:
            message = (
                line.desk.cancel_all_message(request.number)
                if self._is_all
                else line.desk.cancel_message(request.name, request.number)
            )
            request.is_sent = True
            line.talk.say(message)

    def _are_answered(self, line: Line) -> bool:
        for request in self._requests:
            request.answer = request.answer or line.answer(request.number)
        return all(request.answer for request in self._requests)

    def _is_all_told(self, line: Line) -> bool:
        """Nothing more is to come: the ends of all that was named, or as many as were counted."""
        counted = self._requests[0].answer.count if self._requests[0].answer else None
        if self._is_all and counted is not None and len(self._ended_late(line)) < counted:
            return False
        return not any(self._awaited(line))

    def _ended_late(self, line: Line) -> list[str]:
        """What was told as ended since the cancel of all was sent, listed before or not."""
        told = (event for event in line.orders() if isinstance(event, Order))
        ended = {order.order_id for order in told if order.status in TERMINAL}
        return sorted(order_id for order_id in ended - self._before if order_id is not None)

    def _awaited(self, line: Line) -> Iterator[str]:
        """The orders whose end the stream should tell now."""
        for name in self._names:
            request = self._request_for(name)
            if request.answer is not None and request.answer.error is None:
                order = line.order(name)
                if order is None or order.status not in TERMINAL:
                    yield name

    def _request_for(self, name: str) -> Request:
        if self._is_all:
            return self._requests[0]
        return next(request for request in self._requests if request.name == name)

    def _note_told(self, line: Line) -> None:
        if self._is_all:
            # One that was placed a moment before ended by it as well.
            self._names = tuple(dict.fromkeys((*self._names, *self._ended_late(line))))
        for name in self._names:
            if (order := line.order(name)) is not None:
                self._told[name] = order

    def _has_dead_token(self, line: Line | None) -> bool:
        """Nothing was canceled, since every request was refused for a token of the cache."""
        answers = [request.answer for request in self._requests if request.is_sent]
        errors = [None if answer is None else answer.error for answer in answers]
        if line is None or not all(isinstance(e, TokenRefused | PermissionMissing) for e in errors):
            return False
        can_renew = self._broker.drops(line.token) and line.is_cached
        return can_renew and all(isinstance(error, TokenRefused) for error in errors)

    # --- what became of them -----------------------------------------------------------

    def _unsettled(self) -> list[str]:
        """Those of which neither an end nor a refusal is known."""
        return [
            name
            for name in self._names
            if self._refusal(name) is None
            and self._request_for(name).is_sent
            and not self._has_ended(name)
        ]

    def _has_ended(self, name: str) -> bool:
        return name in self._told and self._told[name].status in TERMINAL

    def _refusal(self, name: str) -> PrivstreamError | None:
        answer = self._request_for(name).answer
        error = None if answer is None else answer.error
        return None if error is None or is_doubtful(error) else definite(error)

    def _look_at_unsettled(self) -> None:
        """Ask what they are like until they have ended, for a bounded time."""
        for pause in self._broker.looks():
            unsettled = self._unsettled()
            still_open = self._listed_as_open() if len(unsettled) > 1 else {}
            for name in unsettled:
                # One question for all that are open; Kraken allows few.
                if name in still_open:
                    self._told[name] = still_open[name]
                else:
                    self._look_at(name)
            if not self._unsettled():
                return
            self._broker.pause(pause)

    def _listed_as_open(self) -> dict[str | None, Order]:
        """By id, the exchange's and the client's. Empty also where it cannot be asked."""
        with suppress(PrivstreamError):
            said = self._broker.ask(self._broker.entry.open_orders({}), deadline=LOOK_LIMIT)
            orders = [event for event in said if isinstance(event, Order)]
            by_client = {order.client_order_id: order for order in orders}
            return {**by_client, **{order.order_id: order for order in orders}}
        return {}

    def _look_at(self, name: str) -> None:
        with suppress(PrivstreamError):  # asked again; at the end it counts as unknown
            said = self._broker.get(name, deadline=LOOK_LIMIT)
            orders = (event for event in said if isinstance(event, Order))
            # A client id may have been used before: the open or the newest one counts.
            self._told[name] = max(orders, key=_liveliness)

    def _concluded(self) -> Outcome:
        for request in self._requests:
            for warning in request.answer.warnings if request.answer else ():
                self._broker.say(f"{self._broker.title} warns: {warning}")
        for name in self._names:
            self._conclude(name)
        if self._is_all:
            self._conclude_all()
        return self._outcome

    def _conclude(self, name: str) -> None:
        problems = self._outcome.problems
        refusal = self._refusal(name)
        if refusal is not None and not self._is_all:
            problems.append(_naming(name, refusal))
        elif not self._request_for(name).is_sent:
            unsent = f"{name}: not canceled, the connection ended before it was its turn"
            problems.append(Unreachable(unsent, "nothing was sent for it; try again"))
        elif self._has_ended(name):
            order = self._told[name]
            if order.id not in {told.id for told in self._outcome.ended}:  # named by both its ids
                self._outcome.ended.append(order)
            if order.status == "filled" and refusal is None:
                problems.append(Refused(f"{name} was filled before it could be canceled"))
        elif refusal is None and not self._is_all:
            problems.append(self._still_open(name))

    def _conclude_all(self) -> None:
        (request,) = self._requests
        refusal = self._refusal(ALL)
        if refusal is not None:
            self._outcome.problems.append(refusal)
        elif left := [name for name in self._names if not self._has_ended(name)]:
            self._outcome.problems.append(self._not_all_ended(left))
        elif request.answer is None and not self._names:
            self._outcome.problems.append(self._unknown("the answer was lost"))
        elif request.answer is not None:
            self._compare_count(request.answer.count)

    def _compare_count(self, counted: int | None) -> None:
        """An end that nobody told of is not passed over."""
        told = sum(order.status != "filled" for order in self._outcome.ended)
        differ = (
            f"{self._broker.title} counts {counted} canceled orders, and {told} are told as such"
        )
        if counted is not None and counted > told:
            self._outcome.problems.append(FateUnknown(differ, self._look_yourself()))
        elif counted is not None and counted < told:
            self._broker.say(f"{differ}: others ended in the same moment")

    def _not_all_ended(self, left: list[str]) -> FateUnknown:
        return FateUnknown(
            f"all open orders were to be canceled, but after {LOOKS_FOR:.0f} s these are not told "
            f"as ended: {', '.join(left)}",
            self._look_yourself(),
        )

    def _still_open(self, name: str) -> FateUnknown:
        answer = self._request_for(name).answer
        was = "taken" if answer is not None and answer.error is None else "not answered"
        if name in self._told:
            seen = f"after {LOOKS_FOR:.0f} s it is still told as {self._told[name].status}"
        else:
            seen = "it cannot be looked at"
        return self._unknown(f"{name}: the cancel was sent and {was}, but {seen}")

    def _unknown(self, what: str) -> FateUnknown:
        return FateUnknown(f"{what}: its fate is unknown", self._look_yourself())

    def _look_yourself(self) -> str:
        account = self._broker.client.exchange.account
        return f"look with `privstream order list {account.exchange} -a {account.name}`"


def _liveliness(order: Order) -> tuple[bool, str]:
    return order.status not in TERMINAL, order.created or order.time or ""


def _naming(name: str, refusal: PrivstreamError) -> PrivstreamError:
    """The refusal, saying of which order it speaks."""
    if name not in refusal.message:
        refusal.message = f"{name}: {refusal.message}"
    return refusal

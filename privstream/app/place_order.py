"""Places an order from the command line, prints it, and waits for it if that is wanted.

The one rule: an order that was placed is printed or, where it cannot be, named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from privstream.app.durations import seconds
from privstream.app.order_account import OrderAccount
from privstream.connection.orders.placing import Placement, came_to_nothing
from privstream.model.errors import Exit, FateUnknown, OutputFailed, Refused, UsageError
from privstream.model.events import AnyEvent, Order
from privstream.outputs.base import Output

EARLIER_NS = 60 * 10**9
"""A fill may seem to be older than its order: by clocks, and by times of whole seconds."""


def word(typed: str) -> str:
    """As the `order` event spells it: `stop-loss` is `stop_loss`."""
    return typed.strip().lower().replace("-", "_")


def one_of(typed: str, known: Sequence[str], option: str) -> str:
    """The word, where it is one of those. Raises UsageError."""
    if typed not in known:
        raise UsageError(f"{option} {typed!r} is not known", f"{option} takes {', '.join(known)}")
    return typed


@dataclass(frozen=True)
class Wait:
    """Where the order is wanted after it was placed, and how long that may take."""

    until: str
    timeout: float

    @classmethod
    def of(cls, status: str | None, timeout: str, *, validates: bool) -> Self | None:
        """As it was typed. Raises UsageError, before anything is sent."""
        limit = seconds(timeout)
        if status is None:
            return None
        from privstream.model.order_entry import STATUSES  # noqa: PLC0415 - only with --wait

        if validates:
            raise UsageError("--validate places nothing to --wait for")
        return cls(one_of(word(status), STATUSES, "--wait"), limit)


class Placing:
    """An order on its way, and what is said and printed of it."""

    def __init__(self, orders: OrderAccount, placement: Placement, waits: Wait | None) -> None:
        self._orders = orders
        self._placement = placement
        self._waits = waits
        self._is_printed = False

    def run(self) -> int:
        order = self._placed_and_printed()
        if order is None:
            self._orders.console.say(
                f"{self._orders.title} finds no fault in the order's terms (whether there are "
                "funds for it was not checked); nothing was placed"
            )
            return Exit.DONE
        return self._concluded(order)

    def _placed_and_printed(self) -> Order | None:
        with self._orders.heard_out(lambda: self._unprinted() or self._placement.doubt()):
            order = self._placement.run()
            if order is not None:
                self._print(order)
        return order

    def _print(self, order: Order) -> None:
        try:
            self._orders.print([order])
        except OutputFailed:
            if (unprinted := self._unprinted()) is not None:
                self._orders.fail(unprinted)
            raise
        self._is_printed = True

    def _unprinted(self) -> FateUnknown | None:
        """What must be said of an order that was placed and could not be printed any more."""
        placement = self._placement
        if placement.state != "placed" or self._is_printed:
            return None
        named = placement.order_id or placement.client_order_id or "its id is not known"
        return FateUnknown(
            f"the order was placed ({named}), and is not printed", placement.how_to_look()
        )

    def _concluded(self, order: Order) -> int:
        orders, waits = self._orders, self._waits
        if waits is not None and order.order_id:
            from privstream.app.wait_for_order import Until, verdict  # noqa: PLC0415 - only with --wait

            if not came_to_nothing(order) or verdict(Until(waits.until), order) == Exit.DONE:
                return self._wait(order, waits)
        if came_to_nothing(order):
            why = f": {order.reason}" if order.reason else ""
            orders.fail(Refused(f"order {order.order_id} was {order.status} without a fill{why}"))
            return Exit.REFUSED
        return Exit.DONE

    def _wait(self, order: Order, waits: Wait) -> int:
        from privstream.app.wait_for_order import Until, follow  # noqa: PLC0415 - only with --wait

        orders = self._orders
        output = orders.output()
        return follow(
            orders.environment,
            orders.account,
            order.order_id,
            Until(waits.until),
            timeout=waits.timeout,
            output=None if output is None else _Unrepeated(output, order),
            since_ns=self._placement.sent_ns - EARLIER_NS,
            raw=orders.raw,
            known=order,
        )


class _Unrepeated:
    """An output that was given an order's state already."""

    def __init__(self, output: Output, told: Order) -> None:
        self._output = output
        self._told = told.id

    def write(self, events: Sequence[AnyEvent], /) -> None:
        news = [event for event in events if event.id is None or event.id != self._told]
        if news:
            self._output.write(news)

    def close(self) -> None:
        self._output.close()

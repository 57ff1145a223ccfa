"""Watches over one order: looks at it over REST after every login, and again and again.

The one rule: the subscriptions come first, so nothing falls between a look and the stream;
an order is called unknown only after REST and the stream have not known it for a while.
Wraps the exchange's own sessions. Runs in the account's own thread.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.errors import LoginRefused, PermissionMissing, Refused, UnknownOrder
from privstream.model.reports import NoticeReport, OrderReport
from privstream.model.rest import Now, RestFlow, Stamp
from privstream.model.session import TICK, Action, Ask, Ready, Session, Synced

UNKNOWN_LIMIT = 15.0
"""Seconds at most in which an order may be unknown to REST that was placed just now."""
ASK_UNKNOWN = 3.0
"""Seconds from one look to the next while the order is not known."""
LISTS_LIMIT = 2.0
"""Seconds after the acknowledgements in which the stream's own lists should have come."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
"""Seconds between looks at an order that is known: they grow, since the stream tells first."""


class OneOrder:
    """An order that somebody waits for; outlives its connections."""

    def __init__(self, exchange: Exchange, ledger: Ledger, order_id: str) -> None:
        ledger.followed.add(order_id)
        self._exchange = exchange
        self._ledger = ledger
        self._order_id = order_id
        self._patience = min(exchange.limits.rest_lag, UNKNOWN_LIMIT)
        self._since: float | None = None
        """When the first connection was ready."""
        self._refusal: Refused | None = None

    def around(self, session: Session) -> "OrderSession":
        """The exchange's session, which looks at the order besides."""
        return OrderSession(session, self)

    @property
    def is_told(self) -> bool:
        return self._ledger.has_emitted(self._order_id)

    def ready(self, now: Now) -> None:
        """Every subscription was acknowledged: what happens from now on the stream tells."""
        if self._since is None:
            self._since = now.monotonic

    def look(self, now: Now) -> Ask:
        """The question what the order is like."""
        return Ask(self._look(now), f"order {self._order_id}")

    def check(self) -> None:
        """Raises Refused where there is nothing to wait for."""
        if self._refusal is not None and not self.is_told:
            raise self._refusal

    def _look(self, now: Now) -> RestFlow[tuple[Any, ...]]:
        try:
            reports = yield from self._exchange.look_up([self._order_id])
        except (LoginRefused, PermissionMissing) as refusal:
            # Without a look nobody knows whether the order has ended long ago.
            self._refusal = refusal
            raise
        except Refused as refusal:
            return self._not_found(refusal.message, now)
        if any(isinstance(r, OrderReport) and r.order_id == self._order_id for r in reports):
            return reports
        words = [report.text for report in reports if isinstance(report, NoticeReport)]
        return self._not_found("; ".join(words), now)

    def _not_found(self, said: str, now: Now) -> tuple[()]:
        """REST does not know it; `now` is when it was asked."""
        if self._since is not None and now.monotonic - self._since >= self._patience:
            title, limit = self._exchange.title, self._exchange.look_up_limit
            self._refusal = UnknownOrder(
                f"{title} knows no order {self._order_id}" + (f": {said}" if said else ""),
                "check the id and the account" + (f"; {limit}" if limit else ""),
            )
        return ()


class OrderSession:
    """One connection's session."""

    def __init__(self, session: Session, order: OneOrder) -> None:
        self._session = session
        self._order = order
        self._is_ready = False
        self._is_synced = False
        """What the stream lists by itself has come: that is told before a look."""
        self._due = 0.0
        self._pause = FIRST_PAUSE
        self.alive = session.alive

    def open(self, stamp: Stamp) -> Iterable[Action]:
        return self._session.open(stamp)

    def receive(self, frame: bytes, now: Now) -> Iterator[Action]:
        for action in self._session.receive(frame, now):
            if isinstance(action, Ready):
                self._is_ready = True
                self._order.ready(now)
                self._due = now.monotonic + (0.0 if self._is_synced else LISTS_LIMIT)
            elif isinstance(action, Synced) and not self._is_synced:
                self._is_synced, self._due = True, now.monotonic
            yield action

    def tick(self, now: Now) -> Iterator[Action]:
        yield from self._session.tick(now)
        if self._is_ready:
            self._order.check()
            if now.monotonic >= self._due:
                self._due = now.monotonic + self._next_pause()
                yield self._order.look(now)

    def patience(self, now: Now) -> float:
        """Whether the order is to be looked at is seen at every tick."""
        return min(TICK, self._session.patience(now))

    def _next_pause(self) -> float:
        if not self._order.is_told:
            return ASK_UNKNOWN
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause

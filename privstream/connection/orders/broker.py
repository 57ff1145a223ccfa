"""Order entry of one account: its connection with order calls on it, and its looks over REST.

The one rule: nothing here sends an order or a cancel; `placing` and `canceling` do that,
each once. A token of the cache that turns out to be dead is replaced once, as long as
nothing was sent with it. Runs in the main thread.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from privstream.connection.account.conversation import Conversation
from privstream.connection.account_client import ASK_LIMIT, AccountClient, Heard
from privstream.connection.ports import TokenSource
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Token
from privstream.model.errors import (
    Interrupted,
    PrivstreamError,
    RateLimited,
    Refused,
    TokenRefused,
    Unavailable,
    UnknownOrder,
    Unreachable,
)
from privstream.model.events import Notice, Order, Trade
from privstream.model.order_entry import Answered, OrderDesk, OrderEntry, SocketEntry, Ticket
from privstream.model.reports import AnyReport, OrderReport
from privstream.model.rest import RestFlow
from privstream.model.session import TICK
from privstream.model.times import from_nanos

T = TypeVar("T")
Said: TypeAlias = Order | Notice
"""What is printed of a look over REST."""

CHANNELS = ("orders", "trades")
ANSWER_LIMIT = 10.0
"""Seconds for the answer to an order call; Kraken's engine gives an order up after 5."""
STREAM_LIMIT = 2.0
"""Seconds for the stream to tell what an answer has said already."""
LULL = 0.2
"""Seconds without news of an order after which it is printed as it was told last."""
SYNC_LIMIT = 3.0
TOKEN_LIFE = 30.0
"""Seconds that a token must live yet: dialling takes some."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 13.0)
"""Seconds between looks for something whose answer was lost."""
LAST_LOOK = 2.0
"""Seconds that remain for the last look."""
LOOKS_FOR = sum(PAUSES) + LAST_LOOK
SKEW_NS = 5 * 10**9
"""Clocks that are farther apart than this are worth a word."""
LOOK_LIMIT = 10.0
"""Seconds for one look over REST, its waits for the request budget included."""


def is_doubtful(error: PrivstreamError) -> bool:
    """The exchange's answer leaves open whether it did what it was asked."""
    return isinstance(error, Unreachable) and not isinstance(error, RateLimited | TokenRefused)


def definite(error: PrivstreamError) -> PrivstreamError:
    """A refusal as it is told: nothing was done, also where another try may do."""
    if not isinstance(error, RateLimited):
        return error
    told = Refused(error.message, error.hint or f"nothing was done; wait {error.floor:.0f} s")
    told.retryable = True
    return told


@dataclass
class Line:
    """A connection with order calls on it, logged in and subscribed."""

    talk: Conversation
    desk: OrderDesk
    heard: Heard
    token: Token | None
    is_cached: bool
    """The token had been there before."""
    now: Callable[[], float]
    """Seconds on the monotonic clock."""
    check: Callable[[], None]
    """Raises where the command was told to stop."""

    def step_until(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Take what comes until it is done or so long; returns whether it is done."""
        until = self.now() + seconds
        while not is_done():
            self.check()
            left = until - self.now()
            if left <= 0:
                return False
            self.talk.step(min(TICK, left))
        return True

    def answer(self, request: int) -> Answered | None:
        """The answer to a request, if it came."""
        found = (reply for reply in self.talk.replies if isinstance(reply, Answered))
        return next((reply for reply in found if reply.request == request), None)

    def order(self, name: str) -> Order | None:
        """The order of this id, the exchange's or the client's, as it was told last."""
        told = (event for event in reversed(self.heard.told) if isinstance(event, Order))
        return next(
            (order for order in told if name in (order.order_id, order.client_order_id)), None
        )

    def orders(self) -> list[Order | Trade]:
        """Everything that was told of orders, oldest first."""
        return [event for event in self.heard.told if isinstance(event, Order | Trade)]

    def settle(self, name: str, is_settled: Callable[[Order], bool]) -> Order | None:
        """The order once the stream told it settled and then had nothing new of it for a moment."""

        def has_settled() -> bool:
            order = self.order(name)
            return order is not None and is_settled(order)

        until = self.now() + STREAM_LIMIT
        if self.step_until(has_settled, STREAM_LIMIT):
            told = -1
            while told != len(self.heard.told) and self.now() < until:
                told = len(self.heard.told)
                self.step_until(lambda: len(self.heard.told) != told, LULL)  # noqa: B023 - used at once
        return self.order(name)


def _unsaid(_text: str) -> None:
    pass


class Broker:
    """Order entry of one account.

    `tokens` are shared with other processes; without, every connection fetches its own.
    `say` tells a person what takes its time, or what is not as usual.
    """

    def __init__(
        self,
        client: AccountClient,
        entry: OrderEntry,
        *,
        tokens: TokenSource | None = None,
        raw: bool = False,
        say: Callable[[str], None] = _unsaid,
    ) -> None:
        self.client = client
        self.entry = entry
        self.tokens = tokens
        self.title = client.exchange.title
        self.say = say
        self._raw = raw
        self._channels = client.exchange.select(CHANNELS)
        self._has_said_skew = False
        self._looks_until: float | None = None
        """When the looks for something end, while they go on."""

    def monotonic(self) -> float:
        return self.client.clock.now().monotonic

    def by_exchange(self) -> int:
        """Nanoseconds since the epoch by the exchange's clock, as far as its answers told it."""
        return self.client.clock.now().wall_ns + self.client.rest.skew_ns

    def pause(self, seconds: float) -> None:
        """Wait, but not into the last look. Raises Interrupted where the command is stopped."""
        if self._looks_until is not None:
            seconds = min(seconds, self._looks_until - LAST_LOOK - self.monotonic())
        if seconds > 0 and self.client.clock.wait(seconds, self.client.stop):
            self.client.check()
            raise Interrupted("stopped", cause="stopped")

    def looks(self) -> Iterator[float]:
        """The pauses after each look for something, for `LOOKS_FOR` seconds; the last is 0.

        Nothing that is asked meanwhile waits for an answer beyond that.
        """
        self._looks_until = self.monotonic() + LOOKS_FOR
        try:
            for pause in PAUSES:
                left = self._looks_until - LAST_LOOK - self.monotonic()
                if left > 0:
                    yield min(pause, left)
            yield 0.0
        finally:
            self._looks_until = None

    # --- over REST -------------------------------------------------------------------------

    def prepared(self, ticket: Ticket) -> Ticket:
        """The ticket as it can be sent. Raises UsageError, Refused and Unreachable."""
        self.entry.check(ticket)
        return self.client.ask(self.entry.prepare(ticket))

    def get(self, order_id: str, *, deadline: float = ASK_LIMIT) -> list[Said]:
        """The orders of an id. Raises Refused where there is none."""
        said = self.ask(self.entry.get(order_id), deadline=deadline)
        if not any(isinstance(event, Order) for event in said):
            unread = [event.text for event in said if isinstance(event, Notice)]
            if unread:
                raise Unavailable(f"what {self.title} says of {order_id} is unclear: {unread[0]}")
            raise UnknownOrder(f"{self.title} knows no order {order_id}", "check the id")
        return said

    def ask(
        self, flow: RestFlow[tuple[AnyReport, ...]], *, deadline: float = ASK_LIMIT
    ) -> list[Said]:
        """What a flow brings of orders, each as it was told last, and what could not be read."""
        if self._looks_until is not None:
            deadline = min(deadline, max(self._looks_until - self.monotonic(), LULL))
        return self.told(self.client.ask(flow, deadline=deadline))

    def told(self, reports: Iterable[AnyReport]) -> list[Said]:
        """The events of reports, as `watch` would tell them; of each order the last one."""
        ledger, received = self._ledger(), from_nanos(self.client.clock.now().wall_ns)
        reports = tuple(reports)
        if sum(isinstance(report, OrderReport) for report in reports) == 1:
            # The fees of its fills make up the order's: they go first.
            reports = tuple(sorted(reports, key=lambda report: isinstance(report, OrderReport)))
        events = [event for report in reports for event in ledger.take(report, received)]
        last = {event.order_id: event for event in events if isinstance(event, Order)}
        return [*last.values(), *(event for event in events if isinstance(event, Notice))]

    def _ledger(self) -> Ledger:
        """A memory to which nothing is history."""
        account = self.client.exchange.account
        channels = frozenset(self._channels)
        exchange = self.client.exchange.name
        return Ledger(
            View(exchange=exchange, account=account.name, channels=channels, raw=self._raw)
        )

    # --- on the socket ---------------------------------------------------------------------

    @contextmanager
    def connected(self) -> Iterator[Line]:
        """A line to the exchange. Raises Unreachable and Refused; nothing was sent then."""
        with ExitStack() as stack:
            yield self._line(stack)

    def _line(self, stack: ExitStack) -> Line:
        token, is_cached = self._token()
        try:
            return self._logged_in(stack, token, is_cached=is_cached)
        except (TokenRefused, Refused):
            # A token keeps the rights that the key had when it was fetched.
            if not self.drops(token) or not is_cached:
                raise
        fresh, _ = self._token(other_than=token)
        return self._logged_in(stack, fresh, is_cached=False)

    def drops(self, token: Token | None) -> bool:
        """Have nobody use this token again; returns whether there is a cache of them."""
        if token is None or self.tokens is None:
            return False
        self.tokens.refused(token)
        return True

    def _token(self, other_than: Token | None = None) -> tuple[Token | None, bool]:
        if self.tokens is None:
            return self.client.ask(self.client.exchange.fetch_token()), False
        token, life = self.tokens.get(TOKEN_LIFE, other_than=other_than)
        return token, not life.renewed

    def _logged_in(self, stack: ExitStack, token: Token | None, *, is_cached: bool) -> Line:
        if not isinstance(self.entry, SocketEntry):
            raise TypeError("orders are placed over REST here")
        desk, heard = self.entry.desk(token), Heard()
        login = self.client.logged_in(
            self._channels, token, session=desk, ledger=self._ledger(), outlet=heard
        )
        talk, now = stack.enter_context(login), self.monotonic
        line = Line(talk, desk, heard, token, is_cached, now, self.client.check)
        self._say_skew(desk)
        return line

    def _say_skew(self, desk: OrderDesk) -> None:
        """Relative times count by the exchange's clock: a user should know how far ours is off."""
        if desk.ahead_ns is None:
            desk.ahead_ns = self.client.rest.skew_ns
        ahead_ns = desk.ahead_ns
        if abs(ahead_ns) <= SKEW_NS or self._has_said_skew:
            return
        self._has_said_skew = True
        off = f"{abs(ahead_ns) / 1e9:.0f} s {'behind' if ahead_ns > 0 else 'ahead of'}"
        self.say(
            f"this computer's clock is {off} {self.title}'s; times like +60 count by {self.title}'s"
        )

"""Waits for one order: tells its events until it gets where it was wanted, or cannot any more.

The one rule: "reached" is said only of what the exchange told, never of a guess.

What counts as reached (exit 0)
    filled            it was filled, all of it
    closed            it ended, however: filled, canceled, expired or rejected
    canceled          it was canceled, also after some of it was filled
    open              it is open, or something of it was filled, which takes an open order
    partially_filled  something of it was filled: some or all, also where it ended after that
An order that stands there already at the start has reached it; one that has ended
otherwise is exit 6 at once. Canceled without a fill is no proof that it was ever open.

After it got there the fills that belong to it are waited for, some seconds at most: on
some exchanges a fill's fee comes later than the order's end. `follow` is the whole of it
for other commands.
"""

import signal
import time
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

from privstream.app.assembly import Wanted, add_account
from privstream.app.environment import Environment
from privstream.delivery.signals import Stopped
from privstream.delivery.stream import Ended, Item, Stream
from privstream.exchanges import find
from privstream.model.account import Account
from privstream.model.errors import Exit, PrivstreamError, TimedOut, WrongEnd
from privstream.model.events import TERMINAL, AnyEvent, Gap, Notice, Order, Status, Trade
from privstream.model.times import from_nanos
from privstream.outputs.base import NotTaken, Output, ReaderGone
from privstream.outputs.console import STDOUT
from privstream.outputs.descriptor import discard_stdout, reader_gone

CHANNELS = ("orders", "trades")
AUDIT_EVERY = 300.0
"""Seconds between two comparisons of the stream with REST, as in `watch`."""
PAUSE = 0.25
"""Seconds: how exactly a time limit is kept when nothing comes."""
LINGER = 12.0
"""Seconds at most for the last fills; Bitfinex may tell one without its fee after 9."""


class Until(StrEnum):
    """Where an order is wanted."""

    FILLED = "filled"
    CLOSED = "closed"
    CANCELED = "canceled"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"


def follow(
    environment: Environment,
    account: Account,
    order_id: str,
    until: Until,
    *,
    timeout: float,
    output: Output | None,
    started: float | None = None,
    since_ns: int | None = None,
    max_retries: int | None = None,
    raw: bool = False,
    known: Order | None = None,
) -> Exit:
    """Wait until the order gets there; every end but that is said on stderr.

    `timeout` in seconds counts from `started` on the monotonic clock, or from now. Without
    an output nothing is printed. With `since_ns` (the epoch's nanoseconds, from before the
    order was placed) its fills from then on are read back and told first. `known` is the
    order as the exchange told it and it was printed before: it counts from the start.
    """
    exchange = find(account.exchange)(account)
    stream = Stream()
    wanted = Wanted(
        order_id=order_id,
        since_ns=since_ns,
        max_retries=max_retries,
        raw_elements=raw,
        audit_every=AUDIT_EVERY,
    )
    tap = environment.console.tap(None)
    add_account(environment, stream, account, exchange.select(CHANNELS), wanted, tap=tap)
    progress = OrderProgress(order_id, until, from_start=since_ns is not None)
    if known is not None:
        progress.take([known])
    begin = time.monotonic() if started is None else started
    waits = _Wait(environment, progress, account, output, begin=begin, timeout=timeout)
    return waits.run(stream)


def verdict(until: Until, order: Order) -> Exit | None:
    """Whether the order is where it was wanted (0) or ended elsewhere (6); `None`: not yet."""
    something = order.status == "filled" or (order.filled is not None and Decimal(order.filled) > 0)
    match until:
        case Until.CLOSED:
            reached = order.status in TERMINAL
        case Until.OPEN:
            reached = order.status in {"open", "partially_filled"} or something
        case Until.PARTIALLY_FILLED:
            reached = something
        case _:
            reached = order.status == until.value
    if reached:
        return Exit.DONE
    return Exit.WRONG_END if order.status in TERMINAL else None


class OrderProgress:
    """What has been told of the order so far. Pure."""

    def __init__(self, order_id: str, until: Until, *, from_start: bool = False) -> None:
        self.order_id = order_id
        self.until = until
        self.order: Order | None = None
        """As it was told last."""
        self.verdict: Exit | None = None
        self._before: Decimal | None = Decimal(0) if from_start else None
        """What was filled before we came, by fills that nobody will tell."""
        self._told: Decimal | None = Decimal(0)
        """The sum of the fills that were told, as long as each says its quantity."""

    def take(self, events: Iterable[AnyEvent]) -> list[AnyEvent]:
        """Those that are about the order, taken note of."""
        own: list[AnyEvent] = []
        for event in events:
            if isinstance(event, Order | Trade) and event.order_id == self.order_id:
                own.append(event)
                if isinstance(event, Trade):
                    self._take_trade(event)
                else:
                    self._take_order(event)
        return own

    def _take_trade(self, trade: Trade) -> None:
        if self._told is not None:
            self._told = None if trade.quantity is None else self._told + Decimal(trade.quantity)

    def _take_order(self, order: Order) -> None:
        self.order = order
        if self._before is None and order.filled is not None:
            self._before = max(Decimal(0), Decimal(order.filled) - (self._told or 0))
        if self.verdict is None:
            self.verdict = verdict(self.until, order)

    @property
    def untold(self) -> Decimal:
        """How much of what was filled has not been told as a fill, as far as that is known."""
        if self.order is None or self._told is None:
            return Decimal(0)
        filled = Decimal(self.order.filled or 0) - (self._before or 0)
        return max(Decimal(0), filled - self._told)

    def described(self) -> str:
        """The order as it was told last: `is canceled (user_requested), 0.3 of 0.5 filled`."""
        order = self.order
        if order is None:
            return "has not been heard of"
        why = f" ({order.reason})" if order.reason else ""
        of = f" of {order.quantity}" if order.quantity is not None else ""
        return f"is {order.status}{why}" + (f", {order.filled}{of} filled" if order.filled else "")


class _Wait:
    """The main thread's part: takes from the stream, prints, and knows when it is over."""

    def __init__(
        self,
        environment: Environment,
        progress: OrderProgress,
        account: Account,
        output: Output | None,
        *,
        begin: float,
        timeout: float,
    ) -> None:
        self._stop = environment.stop
        self._console = environment.console
        self._line = environment.console.line
        self._progress = progress
        self._account = account
        self._output = output
        self._timeout = timeout
        self._until = begin + timeout
        self._lingers_until: float | None = None
        self._is_live = False

    def run(self, stream: Stream) -> Exit:
        self._stop.when_told(stream.wake)
        try:
            with stream:
                if (ended := self._follow(stream)) is not None:
                    return self._end_of(ended)
            if self._stop.is_told():
                for item in stream.leftovers():
                    self._take(item)
        except ReaderGone:
            discard_stdout()
            return self._answer_or("nobody reads any more")
        finally:
            self._line.clear()
        return self._told_to_stop() if self._stop.is_told() else self._conclude()

    def _follow(self, stream: Stream) -> Ended | None:
        """Take what comes until it is over; returns how the account's thread ended, if it did."""
        for item in stream.items(PAUSE):
            if isinstance(item, Ended) and self._progress.verdict is None:
                return item
            self._take(item)
            if self._is_over(time.monotonic()) or self._stop.is_told():
                break
        return None

    def _told_to_stop(self) -> Exit:
        """Not 0 where nobody knows yet: a script would take the order for filled."""
        if self._stop.by is signal.SIGINT:
            raise Stopped
        return self._answer_or("told to stop")

    def _answer_or(self, why: str) -> Exit:
        answer = self._answer()
        return self._fail(TimedOut(f"{why}; order {self._now()}")) if answer is None else answer

    def _end_of(self, ended: Ended) -> Exit:
        """The account's thread gave up before the order got anywhere."""
        error = ended.error
        if not isinstance(error, PrivstreamError):
            raise error or AssertionError("it ends only when told to, or with an error")
        return self._fail(error)

    def _fail(self, error: PrivstreamError) -> Exit:
        self._console.fail(error.about(self._account.exchange, self._account.name))
        return error.exit

    # --- what comes ------------------------------------------------------------------------

    def _take(self, item: Item | None) -> None:
        if isinstance(item, list):
            for event in item:
                self._hear(event)
            self._print(self._progress.take(item))
        elif item is None and self._output is not None and reader_gone(STDOUT):
            raise ReaderGone
        self._line.draw(from_nanos(time.time_ns()))

    def _hear(self, event: AnyEvent) -> None:
        """What is no event of the order, and yet says how well it is watched."""
        line = self._line
        match event:
            case Status() if event.state != "stopped":
                self._is_live = event.state == "live"
                line.update(event)
            case Notice() if event.level != "info":
                line.say(f"{event.account}: {event.text}")
            case Gap() if not event.complete:
                line.say(
                    f"{event.account}: not all fills since {event.from_} could be read back: "
                    f"{event.detail}; the order itself is looked at again"
                )

    def _print(self, events: list[AnyEvent]) -> None:
        if events and self._output is not None:
            self._line.clear()
            try:
                self._output.write(events)
            except NotTaken:
                self._output = None  # what follows would leave a hole; the exit code says the rest
            else:
                self._line.told(len(events))

    # --- when it is over -------------------------------------------------------------------

    def _is_over(self, now: float) -> bool:
        if self._progress.verdict is None:
            return now >= self._until
        if self._output is None or not self._progress.untold:
            return True
        if self._lingers_until is None:
            self._lingers_until = min(now + LINGER, self._until)
        return now >= self._lingers_until

    def _conclude(self) -> Exit:
        if (answer := self._answer()) is not None:
            return answer
        return self._fail(self._timed_out())

    def _answer(self) -> Exit | None:
        """Where the order got; `None` where that is not known."""
        progress = self._progress
        if progress.verdict is not None and self._output is not None and progress.untold:
            text = f"{self._account.name}: fills of {progress.untold} had not been told yet"
            self._console.say(text)
        if progress.verdict is Exit.WRONG_END:
            return self._fail(WrongEnd(f"order {self._now()}"))
        return progress.verdict

    def _now(self) -> str:
        progress = self._progress
        return f"{progress.order_id} {progress.described()}; wanted: {progress.until}"

    def _timed_out(self) -> TimedOut:
        order_id, seconds = self._progress.order_id, f"{self._timeout:g} s"
        if self._progress.order is None:
            message = f"nothing was heard of order {order_id} in {seconds}"
        else:
            message = f"time ran out after {seconds}: order {self._now()}"
        if not self._is_live:
            message += "; the connection was down at the end, so it may have moved since"
        return TimedOut(message, "--timeout gives it longer")

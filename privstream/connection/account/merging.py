"""Merges what REST told into what the stream tells, and says what an interruption cost.

The one rule: an answer over REST may be older than what the stream has told since it was
asked for; such an answer fills in what was not known and takes nothing back.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from operator import attrgetter

from msgspec.structs import replace

from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet
from privstream.memory.ledger import Ledger
from privstream.model.events import AnyEvent, Balance, Gap, Order, Recovered, Trade
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
    PositionReport,
)
from privstream.model.times import from_nanos

MANY = 10_000
"""Movements noted until those are forgotten that no reading under way is older than."""
SOURCE = attrgetter("source")
LAST = "~"  # sorts behind every time


def by_time(report: AnyReport | Listed) -> str:
    """Oldest first. What has no time is a state as of now, and a list is complete at its end."""
    if isinstance(report, Listed):
        return LAST + LAST
    return report.time or LAST


def subject(report: AnyReport | Listed) -> tuple[str, str | None] | None:
    """What a report is about: of one subject the earlier word is told first."""
    match report:
        case OrderReport() | Fill():
            return "order", report.order_id
        case BalanceReport():
            return "balance", report.currency
        case PositionReport():
            return "position", report.exchange_symbol
        case Listed():
            return "list", report.kind
        case _:
            return None


class Movements:
    """What was told of while something is read over REST, and when that was last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[Hashable, float] = {}
        self._many = MANY
        self.is_watched = False
        """Somebody reads just now; else nothing is noted, so nothing grows."""

    def watch(self, since: float | None) -> None:
        """Somebody reads, the first of them since that moment (monotonic); or nobody does."""
        self.is_watched = since is not None
        if since is None:
            self._told.clear()
        elif len(self._told) > self._many:
            self._told = {about: at for about, at in self._told.items() if at >= since}
            self._many = max(MANY, 2 * len(self._told))

    def note(self, report: AnyReport | Listed) -> None:
        """It was told of now."""
        self._told[subject(report)] = self._clock.now().monotonic

    def since(self, moment: float, report: AnyReport | Listed) -> bool:
        """Something was told of the same since that moment (monotonic)."""
        told = self._told.get(subject(report))
        return told is not None and told > moment


class Merging:
    """Takes reports into the memory beside the stream, and delivers what is news.

    It is the outlet of the stream, too, so that it knows all that was read back.
    """

    def __init__(self, ledger: Ledger, outlet: Outlet, clock: Clock) -> None:
        self._ledger = ledger
        self._outlet = outlet
        self._clock = clock
        self._read_back: Counter[type] = Counter()
        self.movements = Movements(clock)

    # --- as an outlet ----------------------------------------------------------------------

    @property
    def takes_frames(self) -> bool:
        """Frames are wanted, each with its events."""
        return self._outlet.takes_frames

    def events(self, events: list[AnyEvent]) -> None:
        """Deliver events, and count those that were read back."""
        if events:
            self._count(events)
            self._outlet.events(events)

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Deliver frames as they came, with their events."""
        for _, events in told:
            self._count(events)
        self._outlet.frames(told)

    def _count(self, events: list[AnyEvent]) -> None:
        if "rest" in map(SOURCE, events):  # nearly never, and this look takes no turn of ours
            self._read_back.update(type(event) for event in events if event.source == "rest")

    def whole(self, wall_ns: int) -> None:
        """Until this moment, by the exchange's clock, everything was told."""
        self._outlet.whole(wall_ns)
        self._ledger.proven(from_nanos(wall_ns))

    # --- reports ---------------------------------------------------------------------------

    def take(
        self,
        reports: Iterable[AnyReport | Listed],
        asked: float | None = None,
        *,
        beside: Iterable[AnyReport | Listed] = (),
    ) -> int:
        """Tell what of these is news, oldest first; returns how much it was.

        `asked` is the moment (monotonic) since which the answers may be outdated; what is told
        `beside` them may not.
        """
        fresh = reports if asked is None else self._not_outdated(reports, asked)
        now = from_nanos(self._clock.now().wall_ns)
        events: list[AnyEvent] = []
        for report in sorted([*fresh, *beside], key=by_time):
            events += self._ledger.take(report, now)
            if self.movements.is_watched and isinstance(report, BalanceReport):
                self.movements.note(report)
        self.events(events)
        return len(events)

    def _not_outdated(
        self, reports: Iterable[AnyReport | Listed], asked: float
    ) -> list[AnyReport | Listed]:
        found: list[AnyReport | Listed] = []
        skipped = False
        for report in reports:
            moved = self.movements.since(asked, report)
            if moved and isinstance(report, BalanceReport):
                skipped = True
            elif moved and isinstance(report, OrderReport):
                found.append(replace(report, source="rest"))
            else:
                found.append(report)
        # A list that is older than what was told says nothing of what it does not list.
        return [one for one in found if not (skipped and _lists_balances(one))]

    def settle(self, order_ids: Iterable[str]) -> None:
        """Tell what waited for a look-up of these orders."""
        now = from_nanos(self._clock.now().wall_ns)
        self.events(self._ledger.settle(now, order_ids))

    def warn(self, code: str, text: str) -> None:
        """A word to the user."""
        self.take([NoticeReport(level="warning", code=code, text=text)])

    # --- gaps ------------------------------------------------------------------------------

    def count_anew(self) -> None:
        """Another interruption begins."""
        self._read_back.clear()

    @property
    def has_recovered(self) -> bool:
        """Something was read back since."""
        return bool(self._read_back)

    def tell_gap(
        self, cause: str, since_ns: int, until_ns: int, *, complete: bool, detail: str | None
    ) -> None:
        """The event that closes an interruption."""
        back, view = self._read_back, self._ledger.view
        recovered = Recovered(orders=back[Order], trades=back[Trade], balances=back[Balance])
        gap = Gap(
            exchange=view.exchange,
            account=view.account,
            id=None,
            time=None,
            received=from_nanos(self._clock.now().wall_ns),
            source="stream",
            sequence=None,
            cause=cause,
            from_=from_nanos(since_ns),
            to=from_nanos(until_ns),
            complete=complete,
            recovered=recovered,
            detail=detail,
        )
        self._outlet.events([gap])


def _lists_balances(report: AnyReport | Listed) -> bool:
    return isinstance(report, Listed) and report.kind == "balances"

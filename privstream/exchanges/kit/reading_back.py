"""Reads back what an interruption hid, in parts that stand alone.

The one rule: what one part has brought is told whatever becomes of it and of the others, and
what is lacking names the part. It is complete only where no part lacks anything.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from msgspec import structs

from privstream.exchanges.base import MALFORMED
from privstream.model.errors import (
    Interrupted,
    PrivstreamError,
    Refused,
    Unavailable,
    Unreachable,
)
from privstream.model.http_errors import OUTAGE_FLOOR
from privstream.model.reports import AnyReport, Backfill, Listed, NoticeReport
from privstream.model.rest import Call, RestFlow

NOT_READ = "not read"


class Found:
    """What one part has brought so far, and what it lacks."""

    def __init__(self) -> None:
        self.reports: list[AnyReport | Listed] = []
        self.lacks: list[str] = []
        self.lost: frozenset[str] = frozenset()
        """Orders in doubt that nobody knows."""
        self.problem: PrivstreamError | None = None
        self._unreadable = 0
        self._handed = 0

    def take(self, reports: Iterable[AnyReport | Listed]) -> None:
        """Add what a page brought, as soon as it is there."""
        for report in reports:
            self._unreadable += _is_unreadable(report)
            self.reports.append(report)

    def lack(self, why: str) -> None:
        """Something may be missing, in words for a person."""
        self.lacks.append(why)

    def lose(self, order_id: str, why: str) -> None:
        """Nobody knows this order, in words for a person."""
        self.lost |= {order_id}
        if why not in self.lacks:
            self.lack(why)

    def end_with(self, problem: PrivstreamError) -> None:
        """The part ended with an error."""
        self.problem = problem
        self.lack(f"{problem.message}; {problem.hint}" if problem.hint else problem.message)

    def take_page(self) -> list[AnyReport | Listed]:
        """What was read since the last time."""
        page, self._handed = self.reports[self._handed :], len(self.reports)
        return page

    @property
    def latest(self) -> str | None:
        """The time of the last fact that was read."""
        last = self.reports[-1] if self.reports else None
        return None if last is None or isinstance(last, Listed) else last.time

    @property
    def is_whole(self) -> bool:
        """Nothing is lacking so far."""
        return not self.lacks and not self._unreadable

    def end_list(self, kind: Listed) -> None:
        """The list has ended: what it does not hold is no more, if every row could be read."""
        if self.is_whole:
            self.reports.append(kind)

    def all_lacks(self) -> list[str]:
        """Everything that is lacking, unreadable rows too."""
        if not self._unreadable:
            return self.lacks
        rows = "one row" if self._unreadable == 1 else f"{self._unreadable} rows"
        return [*self.lacks, f"{rows} could not be read"]


class Part(NamedTuple):
    """One part of reading back."""

    name: str
    """In the user's words: "fills"."""
    read: Callable[[Found], RestFlow[None]]
    """Puts into `Found` what each page brought, as it comes."""


def in_parts(parts: Iterable[Part]) -> RestFlow[Backfill]:
    """Read one part after the other. `Interrupted` ends it with what is there."""
    read: list[tuple[str, Found]] = []
    is_over = False
    for part in parts:
        found = Found()
        read.append((part.name, found))
        if is_over:
            found.lack(NOT_READ)
        else:
            yield from _read(part, [found for _, found in read])
            is_over = isinstance(found.problem, Interrupted)
    return _together(read)


def _read(part: Part, read: list[Found]) -> RestFlow[None]:
    """Read a part, the last of these, whatever becomes of it."""
    found = read[-1]
    try:
        yield from _with_progress(part.read(found), read)
    except (Refused, Unreachable) as problem:
        found.end_with(problem)
    except MALFORMED as problem:
        why = f"an answer is not as documented ({type(problem).__name__})"
        found.end_with(Unavailable(why, floor=OUTAGE_FLOOR))


def _with_progress(flow: RestFlow[None], read: list[Found]) -> RestFlow[None]:
    """The same calls, each with what was read before it."""
    resume: Callable[[], Call] = partial(next, flow)
    while True:
        try:
            call = resume()
        except StopIteration:
            return
        pages = tuple(report for found in read for report in found.take_page())
        try:
            response = yield structs.replace(call, reached=read[-1].latest, found=pages)
        except PrivstreamError as problem:
            resume = partial(flow.throw, problem)
        else:
            resume = partial(flow.send, response)


def _together(read: list[tuple[str, Found]]) -> Backfill:
    lacks: dict[str, list[str]] = {}
    for name, found in read:
        for why in found.all_lacks():
            lacks.setdefault(why, []).append(name)
    return Backfill(
        tuple(report for _, found in read for report in found.reports),
        complete=not lacks,
        detail=_detail(lacks),
        lost=frozenset().union(*(found.lost for _, found in read)),
        problems=tuple(found.problem for _, found in read if found.problem is not None),
    )


def _detail(lacks: dict[str, list[str]]) -> str | None:
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in lacks.items()) or None


def _is_unreadable(report: AnyReport | Listed) -> bool:
    """A row that could not be told. What is told but for a side value lacks nothing."""
    if not isinstance(report, NoticeReport):
        return False
    return report.code == "unrecognised" and report.once is None

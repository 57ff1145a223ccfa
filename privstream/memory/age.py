"""Whether a report of an order is older than what is known of it.

The one rule: the exchange's own numbers decide, then its dates, then the filled amount; a
status word never does, since an amended order is `open` again. What has neither number nor
date is judged by where it comes from: REST may lag behind the stream. Pure.
"""

from dataclasses import dataclass

from privstream.memory.order_states import compared
from privstream.model.reports import OrderFields, OrderReport
from privstream.model.times import to_nanos

REST_LAG = 60.0
"""Seconds for which REST may still tell what was before, where nobody knows better."""
AHEAD_NS = 24 * 3600 * 10**9


@dataclass(slots=True)
class Moment:
    """When and where a report is taken."""

    connection: int = 1
    received: str = ""
    rest_lag: float = REST_LAG
    """Seconds for which REST may still tell what was before."""


class Age:
    """How old the knowledge of one order is."""

    __slots__ = ("confirmed", "dated", "heard", "number")

    def __init__(self, dated: str | None = None, heard: str | None = None) -> None:
        self.confirmed = 0
        """The last connection whose stream or snapshot told of the order."""
        self.dated = dated
        """When the terms were as they are, by the exchange."""
        self.heard = heard
        """When the stream or a snapshot last told of the order, by our clock."""
        self.number: int | None = None
        """The last report's number on the connection that confirmed the order."""

    def copy(self) -> "Age":
        age = Age(self.dated, self.heard)
        age.confirmed, age.number = self.confirmed, self.number
        return age

    def take(self, report: OrderReport, moment: Moment, *, has_terms: bool) -> None:
        """A report was taken that is not old."""
        if report.time is not None and has_terms and not _is_to_come(report.time, moment.received):
            self.dated = max(self.dated or "", report.time)
        if report.source == "rest":
            return
        if self.confirmed < moment.connection:
            self.number = None
        self.confirmed = moment.connection
        self.heard = moment.received
        if report.sequence is not None:
            self.number = max(self.number or 0, report.sequence)

    def refuted(self) -> None:
        """What the stream told last is true no more, though it told nothing else."""
        self.confirmed, self.heard, self.number = 0, None, None

    def is_older(self, report: OrderReport, known: OrderFields, moment: Moment) -> bool | None:
        """Whether it is older than what is known; `None` where nothing in it tells."""
        older = self._by_number(report, moment)
        if older is None:
            older = self._by_date(report, moment)
        return _by_amount(report.fields, known) if older is None else older

    def may_lag(self, report: OrderReport, moment: Moment, *, was_so: bool) -> bool:
        """Whether it may be of before the stream's last word, though nothing in it tells.

        `was_so`: what it says was so once.
        """
        if report.source == "stream" or self.heard is None:
            return False
        if self.confirmed == moment.connection:
            return True
        if report.source == "snapshot":
            return False
        seconds = (to_nanos(moment.received) - to_nanos(self.heard)) / 1e9
        return seconds < moment.rest_lag and was_so

    def _by_number(self, report: OrderReport, moment: Moment) -> bool | None:
        """By the numbers of one connection, which are in the order of the sending."""
        number, last = report.sequence, self.number
        if number is None or last is None or number == last or report.source != "stream":
            return None
        return number < last if self.confirmed == moment.connection else None

    def _by_date(self, report: OrderReport, moment: Moment) -> bool | None:
        """By the exchange's dates; a new connection's own list is how things stand."""
        if report.source == "snapshot" and self.confirmed < moment.connection:
            return None
        if report.time is None or self.dated is None or report.time == self.dated:
            return None
        return report.time < self.dated


def _is_to_come(time: str, received: str) -> bool:
    """Further ahead than any clock goes wrong: else all that follows would be old until then."""
    return bool(received) and time > received and to_nanos(time) - to_nanos(received) > AHEAD_NS


def _by_amount(told: OrderFields, known: OrderFields) -> bool | None:
    """What is filled only grows."""
    if told.get("filled") is None or known.get("filled") is None:
        return None
    ahead = compared(told.get("filled"), known.get("filled"))
    return ahead < 0 if ahead else None

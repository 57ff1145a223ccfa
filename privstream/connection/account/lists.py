"""What a new connection lists by itself, kept a little while to be told in order with older facts.

The one rule: nothing waits for it. Where the stream tells news of the same order, balance or
position, what was listed of that is told first, at once.
"""

from collections import defaultdict
from collections.abc import Hashable

from privstream.connection.account.merging import subject
from privstream.model.reports import AnyReport, Fill, Listed


class HeldLists:
    """The lists of one connection."""

    def __init__(self) -> None:
        self._held: dict[Hashable, list[AnyReport | Listed]] | None = None
        self.is_holding = False
        self.oldest_fill: str | None = None
        """When the oldest of the fills happened that this connection listed."""

    def hold(self) -> None:
        """Keep them from now on."""
        self._held = defaultdict(list)
        self.is_holding = True

    def keep(self, report: AnyReport | Listed) -> bool:
        """Whether the report belongs to a list that is held, and so was kept."""
        if self._held is None or not (isinstance(report, Listed) or report.source == "snapshot"):
            return False
        if isinstance(report, Fill) and report.time is not None:
            self.oldest_fill = min(self.oldest_fill or report.time, report.time)
        self._held[subject(report)].append(report)
        return True

    def before(self, report: AnyReport | Listed) -> list[AnyReport | Listed]:
        """What is to be told before these news of the stream."""
        about = subject(report)
        return self._held.pop(about, []) if self._held and about is not None else []

    def take(self) -> list[AnyReport | Listed]:
        """All that is held; nothing is any more."""
        held, self._held = self._held, None
        self.is_holding = False
        return [report for reports in (held or {}).values() for report in reports]

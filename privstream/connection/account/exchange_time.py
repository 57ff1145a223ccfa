"""Tells moments by the exchange's clock, as far as its answers over REST have told it.

The one rule: where it is not sure which of two moments it was, the earlier one counts, since
reading too much costs a page and reading too little a fill.
"""

from privstream.connection.clock import Clock
from privstream.connection.ports import RestClient
from privstream.model.rest import Now

NO_SKEW_NS = 2 * 10**9
"""HTTP tells the time in whole seconds: less than this is no skew."""


class ExchangeTime:
    """One exchange's clock."""

    def __init__(self, rest: RestClient, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock

    @property
    def ahead_ns(self) -> int:
        """How far it is ahead of ours; 0 where that is unknown or nothing."""
        skew = self._rest.skew_ns
        return skew if abs(skew) > NO_SKEW_NS else 0

    def of(self, moment: Now) -> int:
        """That moment, nanoseconds since the epoch."""
        return moment.wall_ns + self.ahead_ns

    def now(self) -> int:
        """This moment."""
        return self.of(self._clock.now())


class LastWhole:
    """The last moment until which surely everything was told."""

    def __init__(self, times: ExchangeTime, at_ns: int) -> None:
        self._times = times
        self._at_ns = at_ns
        self._moment: Now | None = None
        self._ahead_ns = 0

    @property
    def at_ns(self) -> int:
        """By the exchange's clock."""
        if self._moment is None or self._ahead_ns:
            return self._at_ns
        # Its clock may have become known only since.
        return min(self._at_ns, self._times.of(self._moment))

    def stands_at(self, at_ns: int) -> None:
        """It is this one, whatever was thought before."""
        self._at_ns, self._moment = at_ns, None

    def reached(self, moment: Now | None) -> None:
        """Everything until then was delivered to us, and told."""
        if moment is None or (at_ns := self._times.of(moment)) <= self.at_ns:
            return
        self._at_ns, self._moment, self._ahead_ns = at_ns, moment, self._times.ahead_ns

"""Which of an account's open orders are surely held, so that an older one need not be looked for.

The one rule: after a whole list of what stands, every order is held that was placed before it;
but a list over REST may lack what was placed just before, until a later list has it, too.
"""

from privstream.connection.account.exchange_time import ExchangeTime
from privstream.memory.ledger import Ledger
from privstream.model.rest import Now
from privstream.model.times import from_nanos, to_nanos


class HeldOrders:
    """What the lists of open orders prove."""

    def __init__(self, ledger: Ledger, times: ExchangeTime, rest_lag: float) -> None:
        self._ledger = ledger
        self._times = times
        self._lag_ns = round(rest_lag * 1e9)
        since = ledger.held_since
        self._listed_ns = None if since is None else to_nanos(since)
        """When the first of the lists was asked for: from then on the stream tells the rest."""

    def listed(self, asked: Now, *, is_stream: bool = False) -> None:
        """A whole list came that was asked for then, while the stream was live."""
        asked_ns = self._times.of(asked)
        lag_ns = 0 if is_stream else self._lag_ns
        if self._listed_ns is None:
            self._listed_ns = asked_ns
        # REST lags no more behind that moment: what it had not listed yet is in this list.
        if self._ledger.held_since is None and asked_ns >= self._listed_ns + lag_ns:
            self._ledger.held_since = from_nanos(self._listed_ns)

    def doubt(self) -> None:
        """Something may have been placed that nobody told of."""
        self._listed_ns = None
        if self._ledger.held_since is not None:
            self._ledger.held_since = None

    def placed_since(self, since_ns: int) -> int | None:
        """All that stood at that moment and was placed before the answer's is held.

        `None`: that is not known of any order.
        """
        if self._listed_ns is None or since_ns < self._listed_ns:
            return None
        is_sure = self._ledger.held_since is not None
        return since_ns if is_sure else self._listed_ns - self._lag_ns

"""Which of an account's open orders are surely held, so that an older one need not be looked for.

The one rule: after a whole list of what stands, every order is held that was placed before it;
but a list over REST may lack what was placed just before, until a later list has it, too.
"""

from privstream.connection.account.exchange_time import ExchangeTime
from privstream.memory.ledger import Held, Ledger
from privstream.model.rest import Now
from privstream.model.times import from_nanos, to_nanos


class HeldOrders:
    """What the lists of open orders prove."""

    def __init__(self, ledger: Ledger, times: ExchangeTime, rest_lag: float) -> None:
        self._ledger = ledger
        self._times = times
        self._lag_ns = round(rest_lag * 1e9)

    def listed(self, asked: Now, *, is_stream: bool = False) -> None:
        """A whole list came that was asked for then, while the stream was live."""
        asked_ns, held = self._times.of(asked), self._ledger.held
        if held is None:
            self._ledger.held = Held(from_nanos(asked_ns), is_stream)
        # REST lags no more behind that moment: what it had not listed yet is in this list.
        elif not held.is_sure and asked_ns >= to_nanos(held.since) + self._lag_ns:
            self._ledger.held = held._replace(is_sure=True)

    def doubt(self) -> None:
        """Something may have been placed that nobody told of."""
        if self._ledger.held is not None:
            self._ledger.held = None

    def placed_since(self, since_ns: int) -> int | None:
        """All that stood at that moment and was placed before the answer's is held.

        `None`: that is not known of any order.
        """
        held = self._ledger.held
        if held is None or since_ns < (listed_ns := to_nanos(held.since)):
            return None
        return since_ns if held.is_sure else listed_ns - self._lag_ns

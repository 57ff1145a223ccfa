"""Asks for what the server often leaves out, available balances and liquidation prices: `calc`.

The one rule: what is not computed is asked for once per change, a second after it was
missed, since the server mostly sends it by itself.
Source: docs.bitfinex.com/reference/ws-auth-input-calc (checked 2026-11-30).
"""

from collections.abc import Iterator

import msgspec

from privstream.model.reports import BalanceReport
from privstream.model.rest import Now
from privstream.model.session import Send

DEBOUNCE = 1.0  # seconds; unasked, it follows within a fraction of that
# A batch may hold 30, but the server calculates 8 times a second per client and may hang up
# on more: so no batch is larger, and there is one a second.
BATCH = 8
INTERVAL = 1.0
ANSWER = 10.0  # seconds after which a calculation is not waited for


def of_wallet(kind: str, currency: str) -> str:
    """What `calc` calls a wallet: the answer is a `wu` with what is available."""
    return f"wallet_{kind}_{currency}"


def of_position(exchange_symbol: str) -> str:
    """What `calc` calls a position: the answer is a `pu` with its liquidation price."""
    return f"position_{exchange_symbol}"


def calc_message(items: list[str]) -> str:
    """Asks for these calculations."""
    return msgspec.json.encode([0, "calc", None, [[item] for item in items]]).decode()


class Calculations:
    """What one connection has to ask for, and has asked."""

    def __init__(self) -> None:
        self._wanted: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._kept: dict[str, BalanceReport] = {}
        self._last = float("-inf")

    def want(self, item: str, now: Now, *, changed: bool) -> None:
        """It is missing. An answer that lacks it again is not asked for again."""
        if changed or item not in self._asked:
            self._wanted.setdefault(item, now.monotonic)

    def keep(self, item: str, report: BalanceReport) -> None:
        """Nothing new but for what is missing: to be told only if that does not come."""
        self._kept[item] = report

    def told(self, item: str) -> None:
        """It came."""
        self._kept.pop(item, None)
        if self._asked.pop(item, None) is None:  # else it is missed anew since we asked
            self._wanted.pop(item, None)

    def drop(self, item: str) -> None:
        """It is of no use any more."""
        for kept in (self._kept, self._asked, self._wanted):
            kept.pop(item, None)

    def ask(self, now: Now) -> Iterator[Send]:
        """The next batch, if it is time."""
        if now.monotonic - self._last < INTERVAL:
            return
        due = [item for item, since in self._wanted.items() if now.monotonic - since >= DEBOUNCE]
        if due:
            self._last = now.monotonic
            batch = due[:BATCH]
            for item in batch:
                del self._wanted[item]
                self._asked[item] = now.monotonic
            yield Send(calc_message(batch))

    def unanswered(self, now: Now) -> Iterator[BalanceReport]:
        """What was kept for an answer that does not come."""
        for item in list(self._kept):
            if now.monotonic - self._asked.get(item, now.monotonic) >= ANSWER:
                yield self._kept.pop(item)

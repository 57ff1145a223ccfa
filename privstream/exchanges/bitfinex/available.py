"""Asks for the available balance, which the server often leaves out: `calc` on the socket.

The one rule: an amount that is not computed is asked for once per change, a second
after it was missed, since the server mostly sends it by itself.
Source: protocols/bitfinex.md sections 1, 5.4 and 5.7 (checked 2026-11-20).
"""

from collections.abc import Iterator
from typing import NamedTuple

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


class Wallet(NamedTuple):
    """One currency of one wallet, as Bitfinex spells them."""

    kind: str
    currency: str


def calc_message(wallets: list[Wallet]) -> str:
    """Asks for a `wu` of each wallet, with what is available."""
    items = [[f"wallet_{wallet.kind}_{wallet.currency}"] for wallet in wallets]
    return msgspec.json.encode([0, "calc", None, items]).decode()


class Available:
    """What one connection has to ask for, and has asked."""

    def __init__(self) -> None:
        self._wanted: dict[Wallet, float] = {}
        self._asked: dict[Wallet, float] = {}
        self._kept: dict[Wallet, BalanceReport] = {}
        self._last = float("-inf")

    def want(self, wallet: Wallet, now: Now, *, changed: bool) -> None:
        """The amount is missing. An answer that lacks it again is not asked for again."""
        if changed or wallet not in self._asked:
            self._wanted.setdefault(wallet, now.monotonic)

    def keep(self, wallet: Wallet, report: BalanceReport) -> None:
        """Nothing new but for what may be available: to be told only if that does not come."""
        self._kept[wallet] = report

    def told(self, wallet: Wallet) -> None:
        """The amount came."""
        self._kept.pop(wallet, None)
        if self._asked.pop(wallet, None) is None:  # else it is missed anew since we asked
            self._wanted.pop(wallet, None)

    def ask(self, now: Now) -> Iterator[Send]:
        """The next batch, if it is time."""
        if now.monotonic - self._last < INTERVAL:
            return
        due = [w for w, since in self._wanted.items() if now.monotonic - since >= DEBOUNCE]
        if due:
            self._last = now.monotonic
            batch = due[:BATCH]
            for wallet in batch:
                del self._wanted[wallet]
                self._asked[wallet] = now.monotonic
            yield Send(calc_message(batch))

    def unanswered(self, now: Now) -> Iterator[BalanceReport]:
        """What was kept for an amount that does not come."""
        for wallet in list(self._kept):
            if now.monotonic - self._asked.get(wallet, now.monotonic) >= ANSWER:
                yield self._kept.pop(wallet)

"""What a Bitfinex account's connections hand on to each other.

The one rule: a list that a new connection sends is complete, so what was there before
and is not in it has gone; the list itself does not say so.
"""

from collections.abc import Iterable, Iterator

from msgspec import structs

from privstream.exchanges.bitfinex.available import Wallet
from privstream.exchanges.bitfinex.executions import Executions
from privstream.exchanges.bitfinex.rows import Origin
from privstream.model.exact import normal
from privstream.model.reports import BalanceReport, PositionReport


class Memory:
    """One account's memory of what must outlive a connection."""

    def __init__(self) -> None:
        self.nonce_refusals = 0
        """Logins in a row whose nonce was refused."""
        self.clock_ns = 0
        """How far the server's clock is ahead of ours, as its frames tell."""
        self.executions = Executions()
        self.balances = Balances()
        self.positions = Positions()


class Balances:
    """The last report of every wallet."""

    def __init__(self) -> None:
        self._last: dict[Wallet, BalanceReport] = {}

    def take(self, wallet: Wallet, report: BalanceReport) -> bool:
        """Remember a report; True where its total is the one known."""
        before, self._last[wallet] = self._last.get(wallet), report
        return before is not None and normal(before.total) == normal(report.total)

    def gone(self, listed: set[Wallet], origin: Origin) -> Iterator[BalanceReport]:
        """Wallets that a list left out: nothing is in them any more."""
        for wallet, last in list(self._last.items()):
            if wallet not in listed and normal(last.total) != "0":
                self._last[wallet] = empty = BalanceReport(
                    currency=last.currency,
                    exchange_currency=last.exchange_currency,
                    wallet=last.wallet,
                    total="0",
                    time=origin.sent,
                    source=origin.source,
                    sequence=origin.sequence,
                )
                yield empty


class Positions:
    """The positions held as open."""

    def __init__(self) -> None:
        self._open: dict[str, PositionReport] = {}

    def take(self, report: PositionReport) -> None:
        if report.side == "flat":
            self._open.pop(_key(report), None)
        else:
            self._open[_key(report)] = report

    def gone(self, listed: Iterable[PositionReport], origin: Origin) -> Iterator[PositionReport]:
        """Positions that a list left out: they were closed."""
        for key in self._open.keys() - {_key(report) for report in listed}:
            yield structs.replace(
                self._open.pop(key),
                side="flat",
                quantity="0",
                status="closed",
                liquidation_price=None,
                leverage=None,
                unrealized_pnl=None,
                time=origin.sent,
                source=origin.source,
                sequence=origin.sequence,
                element=None,
            )


def _key(report: PositionReport) -> str:
    return report.position_id or report.exchange_symbol or ""

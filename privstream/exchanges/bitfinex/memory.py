"""What a Bitfinex account's connections hand on to each other, to tell repetition from news."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from msgspec import structs

from privstream.exchanges.bitfinex.executions import Executions
from privstream.exchanges.bitfinex.names import Names
from privstream.model.exact import normal
from privstream.model.reports import BalanceReport, PositionReport


class Memory:
    """One account's memory of what must outlive a connection."""

    def __init__(self) -> None:
        self.nonce_refusals = 0
        """Logins in a row whose nonce was refused."""
        self.torn_lists = 0
        """Connections in a row that lost a frame before they had listed all that stands."""
        self.clock_ns = 0
        """How far the server's clock is ahead of ours, as its frames tell."""
        self.names = Names()
        self.executions = Executions()
        self.balances = Balances()
        self.positions = OpenPositions()


class Wallet(NamedTuple):
    """One currency of one wallet, as Bitfinex spells them."""

    kind: str
    currency: str

    @classmethod
    def of(cls, report: BalanceReport) -> Self:
        return cls(report.wallet or "", report.exchange_currency)


class Balances:
    """The last report of every wallet."""

    def __init__(self) -> None:
        self._last: dict[Wallet, BalanceReport] = {}

    def take(self, wallet: Wallet, report: BalanceReport) -> bool:
        """Remember a report; True where its total is the one known."""
        before, self._last[wallet] = self._last.get(wallet), report
        return before is not None and normal(before.total) == normal(report.total)


class OpenPositions:
    """The positions held as open."""

    def __init__(self) -> None:
        self._open: dict[str, PositionReport] = {}

    def named(self, report: PositionReport) -> PositionReport:
        """The same report with the id that is known of its position, where it has none."""
        if report.position_id is not None:
            return report
        same = (
            held for held in self._open.values() if held.exchange_symbol == report.exchange_symbol
        )
        known = next(same, report)  # there is one position of a symbol at a time
        return structs.replace(report, position_id=known.position_id)

    def take(self, report: PositionReport) -> bool:
        """Remember a report; True where it is of a position as it is known."""
        before = self._open.pop(_key(report), None)
        if report.side != "flat":
            self._open[_key(report)] = report
        return before is not None and _size(before) == _size(report)

    def keep_only(self, listed: Iterable[PositionReport]) -> None:
        """Others are no more: a list was complete."""
        self._open = {_key(report): report for report in listed if report.side != "flat"}


def _key(report: PositionReport) -> str:
    return report.position_id or report.exchange_symbol or ""


def _size(report: PositionReport) -> tuple[str | None, ...]:
    amounts = normal(report.quantity), normal(report.entry_price)
    return report.position_id, report.side, *amounts

"""What one connection tells of the wallets, joined with what earlier ones told.

The one rule: an amount that is not computed is told as null when it is news, and asked
for either way. Source: docs.bitfinex.com/reference/ws-auth-wallets (checked 2026-11-30).
"""

from collections.abc import Iterable, Iterator

from msgspec import structs

from privstream.exchanges.bitfinex import names
from privstream.exchanges.bitfinex.calculations import Calculations, of_wallet
from privstream.exchanges.bitfinex.memory import Balances, Wallet
from privstream.exchanges.bitfinex.rows import Origin
from privstream.model.reports import BalanceReport, Listed, OrderReport
from privstream.model.rest import Now


class BitfinexWallets:
    """The wallets on one connection."""

    def __init__(self, balances: Balances, calculations: Calculations) -> None:
        self._balances = balances
        self._calculations = calculations

    def take(self, report: BalanceReport, now: Now, *, in_list: bool) -> Iterator[BalanceReport]:
        """Tell a row, unless a list repeats what is known and leaves out what is available."""
        wallet = Wallet.of(report)
        item = of_wallet(*wallet)
        is_known = self._balances.take(wallet, report)
        if report.available is not None:
            self._calculations.told(item)
        elif report.total != "0":
            self._calculations.want(item, now, changed=not is_known)
        # A row repeats the reason of the last change, which is none of what it tells now.
        told = structs.replace(report, reason=None) if is_known or in_list else report
        if in_list and is_known and report.available is None:
            self._calculations.keep(item, told)
        else:
            yield told

    def listed(self, reports: Iterable[BalanceReport], origin: Origin) -> Listed:
        """The list was complete."""
        places = (
            (name, report.wallet)
            for report in reports
            for name in origin.names.spellings(report.exchange_currency)
        )
        return Listed("balances", frozenset(places))

    def reserve(self, order: OrderReport, order_type: object, now: Now) -> None:
        """An order reserves balance or frees it, which the server may not tell by itself.

        `order_type` is Bitfinex's own: it names the wallet.
        """
        symbol, side = order.fields.get("symbol"), order.fields.get("side")
        if symbol is None or side is None or not str(order_type).startswith("EXCHANGE "):
            return
        base, quote = names.pair(order.fields.get("exchange_symbol") or "")
        item = of_wallet("exchange", quote if side == "buy" else base)
        self._calculations.want(item, now, changed=True)

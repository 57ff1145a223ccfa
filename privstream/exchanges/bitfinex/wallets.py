"""What one connection tells of the wallets, joined with what earlier ones told.

The one rule: an amount that is not computed is told as null when it is news, and asked
for either way. Source: protocols/bitfinex.md section 5.4 (checked 2026-11-20).
"""

from collections.abc import Iterator

from msgspec import structs

from privstream.exchanges.bitfinex import names
from privstream.exchanges.bitfinex.available import Available, Wallet
from privstream.exchanges.bitfinex.memory import Balances
from privstream.exchanges.bitfinex.rows import Origin
from privstream.model.reports import BalanceReport, OrderReport
from privstream.model.rest import Now
from privstream.model.session import Action


class Wallets:
    """The wallets on one connection."""

    def __init__(self, balances: Balances) -> None:
        self._balances = balances
        self._available = Available()

    def take(self, report: BalanceReport, now: Now, *, in_list: bool) -> Iterator[BalanceReport]:
        """Tell a row, unless a list repeats what is known and leaves out what is available."""
        wallet = _wallet(report)
        is_known = self._balances.take(wallet, report)
        if report.available is not None:
            self._available.told(wallet)
        elif report.total != "0":
            self._available.want(wallet, now, changed=not is_known)
        # A row repeats the reason of the last change, which is none of what it tells now.
        told = structs.replace(report, reason=None) if is_known or in_list else report
        if in_list and is_known and report.available is None:
            self._available.keep(wallet, told)
        else:
            yield told

    def gone(self, listed: list[BalanceReport], origin: Origin) -> Iterator[BalanceReport]:
        """What a complete list left out."""
        return self._balances.gone({_wallet(report) for report in listed}, origin)

    def reserve(self, order: OrderReport, now: Now) -> None:
        """An order reserves balance or frees it, which the server may not tell by itself."""
        fields = order.fields
        if order.element[8].startswith("EXCHANGE "):
            base, quote = names.pair(fields["exchange_symbol"] or "")
            currency = quote if fields["side"] == "buy" else base
            self._available.want(Wallet("exchange", currency), now, changed=True)

    def tick(self, now: Now) -> Iterator[Action]:
        """Ask for what is missing, and tell what is not answered."""
        yield from self._available.ask(now)
        yield from self._available.unanswered(now)


def _wallet(report: BalanceReport) -> Wallet:
    return Wallet(report.wallet or "", report.exchange_currency)

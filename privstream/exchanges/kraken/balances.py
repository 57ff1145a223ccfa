"""Kraken's balances: what the channel `balances` says, and what of REST it can be compared with.

The one rule: asset and wallet decide which balance it is; of the rest, what cannot be read is
unknown.

Quirks
    * A snapshot has one total of an asset over all its wallets, an update that of one wallet.
    * REST lists what lies outside the main wallet by itself, with a suffix: `XBT.F` (rewards),
      `DOT28.S` (staked, bonded for 28 days), `.B` (yield), `.M` (opt-in rewards), `.P` (parachain),
      `.T` (tokenized), `USD.HOLD`. How that adds up to the stream's total is documented nowhere,
      so an asset that also lies elsewhere is not compared.

Source
    docs.kraken.com, WebSocket v2 balances and REST Get Account Balance; checked 2026-11-30.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from privstream.exchanges.base import MALFORMED
from privstream.exchanges.kit.side_values import Read, not_negative, text_of, tolerant
from privstream.exchanges.kraken import names
from privstream.model.events import Source
from privstream.model.exact import Unreadable, amount, kind_of, normal
from privstream.model.reports import BalanceReport, NoticeReport
from privstream.model.times import from_rfc3339

Element = Mapping[str, Any]
MAIN = "spot/main"


def read_balance(
    element: Element, source: Source, sequence: int | None
) -> Iterator[BalanceReport | NoticeReport]:
    """A ledger entry, or what a snapshot says of one asset over all its wallets."""
    asset = element["asset"]
    currency, wallet = names.currency(asset), wallet_of(element)

    def make(read: Read) -> BalanceReport:
        return BalanceReport(
            currency=currency,
            exchange_currency=asset,
            wallet=wallet,
            total=read("balance", amount, element.get("balance")),
            change=read("amount", amount, element.get("amount")),
            fee=read("fee", not_negative, element.get("fee")),
            reason=read("type", names.word_or_none, element.get("type")),
            key=read("ledger_id", text_of, element.get("ledger_id")),
            time=read("timestamp", from_rfc3339, element.get("timestamp")),
            source=source,
            sequence=sequence,
            element=element,
        )

    yield from tolerant("balance", make, element, sequence)


def wallet_of(element: Element) -> str | None:
    """`spot/main`; what an asset's own suffix says where no wallet is named; `None` for all."""
    if "wallet_type" not in element:
        return names.place(element["asset"])
    kind, name = element["wallet_type"], element.get("wallet_id", "")
    if not (isinstance(kind, str) and isinstance(name, str) and kind.strip()) or name.isspace():
        raise Unreadable(f"it is {kind_of(kind)}, not a wallet", kind)
    return f"{kind}/{name}" if name else kind


def is_spread(element: Element) -> bool:
    """It is also in other wallets than the main one, or nobody knows in which."""
    if (wallet := wallet_of(element)) is not None:
        return wallet != MAIN
    places = element.get("wallets") or []
    return not isinstance(places, list) or any(not _holds_all(place, element) for place in places)


def _holds_all(place: object, element: Element) -> bool:
    """It is the main wallet. One was seen that held less than the total, and was listed alone."""
    return (
        isinstance(place, dict)
        and (place.get("type"), place.get("id")) == ("spot", "main")
        and normal(str(place.get("balance"))) == normal(str(element.get("balance")))
    )


# --- over REST -------------------------------------------------------------------------


def comparable(
    rows: Mapping[str, Any], altnames: Mapping[str, str], spread: Iterable[str]
) -> tuple[BalanceReport, ...]:
    """The totals of assets that are in the main wallet only; `spread` are those known not to be.

    `altnames` are REST's other names of assets, as far as they are known.
    """
    left_out = {*spread}
    for key, value in rows.items():
        if names.place(key) is not None and _total(value) != "0":
            left_out |= {_common(key, altnames), _common(key.partition(".")[0], altnames)}
    return tuple(
        BalanceReport(
            currency=_common(key, altnames),
            exchange_currency=key,
            total=total,
            source="rest",
            element={key: value},
        )
        for key, value in rows.items()
        if names.place(key) is None
        and _common(key, altnames) not in left_out
        and (total := _total(value)) is not None
    )


def _total(value: object) -> str | None:
    """`None` where it cannot be read, and so not be compared."""
    try:
        return amount(value)
    except MALFORMED:
        return None


def _common(key: str, altnames: Mapping[str, str]) -> str:
    """The currency of `XXBT`, and of `XBT.F` and `DOT28.S`, which lie in another wallet."""
    return names.currency(altnames.get(key, names.short(key)))

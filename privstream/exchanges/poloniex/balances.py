"""Balances, as pushed and as listed over REST, and which of the two is the later word.

The one rule: within a connection the stream loses nothing, so what REST lists of a
currency that the stream has told of is no news. Source:
https://api-docs.poloniex.com/spot/websocket/balance, checked 2026-11-20.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from privstream.exchanges.base import each
from privstream.exchanges.kit.side_values import KeyedValues, not_negative
from privstream.exchanges.poloniex import names
from privstream.exchanges.poloniex.orders import Item
from privstream.model.events import Source
from privstream.model.exact import Unreadable, amount
from privstream.model.reports import AnyReport, BalanceReport, NoticeReport
from privstream.model.times import from_millis

SPOT = "SPOT"
"""The only account on this socket; an older sample leaves it out."""

Place = tuple[str, str]
"""Currency and wallet."""


class Holdings:
    """The currencies told of so far, and those that the stream told in this connection."""

    def __init__(self) -> None:
        self._known: set[Place] = set()
        self._streamed: set[Place] = set()
        self._versions: dict[Place, int] = {}

    def connected(self) -> None:
        """A new connection: its stream has told nothing yet."""
        self._streamed.clear()
        self._versions.clear()

    def outdated(self, place: Place, version: int | None) -> bool:
        """A push with a later version came before this one."""
        if version is None:
            return False
        latest = self._versions.get(place)
        if latest is not None and version < latest:
            return True
        self._versions[place] = version
        return False

    def pushed(self, place: Place) -> None:
        self._streamed.add(place)
        self._known.add(place)

    def listed(self, place: Place) -> bool:
        """REST lists it; False where the stream's word is the later one."""
        self._known.add(place)
        return place not in self._streamed

    def gone(self, listed: set[Place], wallets: set[str]) -> list[Place]:
        """What was told of these wallets, and is neither listed nor told by the stream."""
        gone = self._known - listed - self._streamed
        return sorted(place for place in gone if place[1] in wallets)


def read_push(item: Item, holdings: Holdings) -> Iterator[AnyReport]:
    """A currency after a change. `id` is the change's own; `version`, on newer servers, orders them."""
    place = _place(item, names.word(item.get("accountType") or SPOT))
    values = KeyedValues("balance", item)
    report = BalanceReport(
        **_amounts(place, values),
        reason=values.of("eventType", names.word) or None,
        key=values.of("id", names.given),
        time=values.of("changeTime", from_millis) or values.of("ts", from_millis),
        element=item,
    )
    if not holdings.outdated(place, values.of("version", _version)):
        holdings.pushed(place)
        yield report
        yield from values.notices(item)


def _place(item: Item, wallet: str) -> Place:
    return names.required(item.get("currency"), "currency"), wallet


def _amounts(place: Place, values: KeyedValues) -> dict[str, Any]:
    """What is in a place. Raises Unreadable where nothing of it can be read."""
    available, hold = values.of("available", amount), values.of("hold", not_negative)
    if available is None and hold is None:
        raise Unreadable("no balance is stated")
    return {
        "currency": names.common(place[0]),
        "exchange_currency": place[0],
        "wallet": place[1],
        "available": available,
        "hold": hold,
    }


def _version(value: object) -> int | None:
    found = amount(value)
    return None if found is None else int(found)


def read_accounts(accounts: list[Any], holdings: Holdings, source: Source) -> tuple[AnyReport, ...]:
    """Everything held, and a zero for each currency that is not any more."""
    listed: set[Place] = set()
    wallets: set[str] = set()

    def read_account(account: Mapping[str, Any]) -> Iterator[AnyReport]:
        wallet = names.word(account.get("accountType") or SPOT)
        yield from each(account["balances"] or (), lambda row: read_row(row, wallet))
        wallets.add(wallet)

    def read_row(row: Mapping[str, Any], wallet: str) -> Iterator[AnyReport]:
        place = _place(row, wallet)
        values = KeyedValues("balance", row)
        amounts = _amounts(place, values)
        listed.add(place)
        if holdings.listed(place):
            yield BalanceReport(**amounts, source=source, element=row)
            yield from values.notices(row)

    reports = tuple(each(accounts, read_account))
    if any(isinstance(report, NoticeReport) and report.once is None for report in reports):
        return reports  # what could not be read may be what seems to be gone
    gone = holdings.gone(listed, wallets)
    return reports + tuple(_nothing(place, source) for place in gone)


def _nothing(place: Place, source: Source) -> BalanceReport:
    """What a list says by leaving a currency out: it has only those that are held."""
    return BalanceReport(
        currency=names.common(place[0]),
        exchange_currency=place[0],
        wallet=place[1],
        available="0",
        hold="0",
        source=source,
    )

"""One Kraken account's order entry: which pair is meant, and what REST knows of an order.

The one rule: a client id may have been used before, so an order that is looked for must
also be as young as the request that placed it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from privstream.exchanges.kraken import backfill, names, rest
from privstream.exchanges.kraken.ordering import checks, hidden_terms, terms
from privstream.exchanges.kraken.ordering.market import market
from privstream.exchanges.kraken.ordering.v1 import DeskV1
from privstream.exchanges.kraken.ordering.v2 import DeskV2
from privstream.exchanges.kraken.orders import Row
from privstream.exchanges.kraken.pairs import ORDINARY, TOKENIZED, Pairs, wsname_of
from privstream.exchanges.kraken.refusals import UnknownPair
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import Refused, UnknownOrder, UsageError
from privstream.model.nearest import nearest_pair
from privstream.model.order_entry import (
    ListOption,
    MarketView,
    OrderDesk,
    OrderOption,
    SocketEntry,
    Ticket,
)
from privstream.model.reports import AnyReport
from privstream.model.rest import RestFlow
from privstream.model.times import from_epoch_seconds, to_nanos

CHANNELS = ("orders", "trades")
EARLY_NS = 2 * 10**9
"""An order may seem so much older than its request, by a clock that is not Kraken's."""
LARGEST_MARGIN = 5


class KrakenEntry(SocketEntry):
    """Placing and canceling over the private socket, looking over REST."""

    types: ClassVar[tuple[str, ...]] = terms.TYPES
    options: ClassVar[tuple[OrderOption, ...]] = terms.OPTIONS
    list_options: ClassVar[tuple[ListOption, ...]] = (
        ListOption("userref", "INTEGER", "Only of this number of yours."),
        ListOption("client_id", "ID", "Only of this client id."),
    )

    def __init__(self, account: Account, pairs: Pairs) -> None:
        self._account = account
        self._pairs = pairs

    @property
    def _v1(self) -> bool:
        return self._account.options.get("protocol") == "v1"

    def makes_client_id(self, ticket: Ticket) -> bool:
        """A reference of the user's own excludes one."""
        return "userref" not in ticket.options

    def check(self, ticket: Ticket) -> None:
        checks.check(ticket, v1=self._v1)

    def prepare(self, ticket: Ticket) -> RestFlow[Ticket]:
        row = yield from self._pair(ticket.symbol)
        self._check_leverage(ticket, row)
        pair = wsname_of(row)
        if pair is None:
            raise Refused(f"Kraken lists {ticket.symbol!r} without the name that orders take")
        return _with_symbol(ticket, pair if self._v1 else names.symbol(pair))

    def market(self, ticket: Ticket) -> RestFlow[MarketView]:
        currencies = tuple(map(names.currency, ticket.symbol.split("/")))
        return (yield from market(self._account, rest_name(ticket.symbol), currencies))

    def _pair(self, symbol: str) -> RestFlow[Row]:
        if not terms.SYMBOL.fullmatch(symbol):
            raise UsageError(f"{symbol!r} is no pair", "write it like BTC/EUR")
        named = [rest_name(symbol)]
        # Capitals count in a tokenized pair's name: typed without them, it is found in the list.
        for asked, aclass in ((named, ORDINARY), (named, TOKENIZED), ([], TOKENIZED)):
            try:
                rows = yield from rest.read_pairs(asked, aclass)
            except UnknownPair:
                continue
            self._pairs.take(rows)
            # Asked for something odd Kraken may answer with other pairs, or with all.
            meant = [row for key, row in rows.items() if _is_meant(symbol, key, row)]
            if meant:
                return meant[0]
        raise _no_pair(symbol)

    def _check_leverage(self, ticket: Ticket, row: Row) -> None:
        wanted = terms.leverage(ticket)
        if wanted is None:
            return
        known = [int(n) for n in row[f"leverage_{ticket.side}"]]
        if wanted not in known:
            listed = ", ".join(map(str, known)) or "none"
            raise UsageError(
                f"{row['altname']} has no leverage {wanted} for a {ticket.side}",
                f"Kraken offers: {listed}",
            )
        largest = min(max(known), LARGEST_MARGIN)
        if not self._v1 and wanted != largest:
            raise UsageError(
                f"with Kraken's v2 an order on margin has the pair's largest leverage, {largest}",
                "use --protocol v1 for another",
            )

    def desk(self, token: Token | None) -> OrderDesk:
        text = (Secret("") if token is None else token.secret).reveal()
        return DeskV1(text, CHANNELS) if self._v1 else DeskV2(text, CHANNELS)

    # --- looking -----------------------------------------------------------------------

    def find(self, ticket: Ticket, since_ns: int) -> RestFlow[tuple[AnyReport, ...]]:
        wanted = _identity(ticket)
        rows = {**(yield from self._open(wanted)), **(yield from self._closed(wanted))}
        young = {
            order_id: row
            for order_id, row in rows.items()
            if _opened_ns(row) >= since_ns - EARLY_NS
        }
        return (yield from backfill.read_orders(self._pairs, young))

    def unlike(self, row: Any, ticket: Ticket) -> list[str]:
        return hidden_terms.unlike(row, ticket) if isinstance(row, dict) else []

    def get(self, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
        if terms.ORDER_ID.fullmatch(order_id):
            return (yield from backfill.look_up(self._account, self._pairs, [order_id]))
        if not order_id:
            raise UsageError("the order's id is empty")
        wanted = {"cl_ord_id": order_id}
        rows = (yield from self._open(wanted)) or (yield from self._closed(wanted))
        if not rows:
            raise UnknownOrder(
                f"Kraken knows no order with the client id {order_id!r}",
                "an id of Kraken's own looks like OAAAAA-BBBBB-CCCCCC",
            )
        latest = max(rows, key=lambda found: _opened_ns(rows[found]))
        return (yield from backfill.read_orders(self._pairs, {latest: rows[latest]}))

    def open_orders(self, filters: Mapping[str, Any]) -> RestFlow[tuple[AnyReport, ...]]:
        wire = {"userref": "userref", "client_id": "cl_ord_id"}
        if unknown := set(filters) - wire.keys():
            raise UsageError(f"Kraken cannot list orders by {min(unknown)}")
        wanted = {wire[name]: str(value) for name, value in filters.items()}
        if "" in wanted.values():
            raise UsageError("an id to list orders by is empty")
        return (yield from backfill.read_orders(self._pairs, (yield from self._open(wanted))))

    def _open(self, wanted: Mapping[str, str]) -> RestFlow[dict[str, Row]]:
        result = yield from rest.ask(self._account, "OpenOrders", **wanted)
        return result["open"] or {}

    def _closed(self, wanted: Mapping[str, str]) -> RestFlow[dict[str, Row]]:
        result = yield from rest.ask(self._account, "ClosedOrders", **wanted)
        return result["closed"] or {}


def rest_name(symbol: str) -> str:
    """`BTC/EUR` and `XBT/EUR` are `XBTEUR` over REST, `AAPLx/USD` is `AAPLxUSD`."""
    unified = names.symbol_of(symbol)
    if unified is None:
        return symbol
    base, _, quote = unified.partition("/")
    return f"{names.uncommon(base)}{names.uncommon(quote)}"


def _is_meant(symbol: str, key: str, row: Row) -> bool:
    wanted = {symbol.casefold(), rest_name(symbol).casefold()}
    told = (key, row.get("altname"), row.get("wsname"))
    return any(isinstance(name, str) and name.casefold() in wanted for name in told)


def _no_pair(symbol: str) -> Refused:
    found = nearest_pair(symbol)
    hint = f"did you mean {found}?" if found not in {None, symbol} else "write it like BTC/EUR"
    return Refused(f"Kraken knows no pair {symbol!r}", hint)


def _with_symbol(ticket: Ticket, symbol: str) -> Ticket:
    return replace(ticket, symbol=symbol)


def _identity(ticket: Ticket) -> dict[str, str]:
    if ticket.client_order_id is not None:
        return {"cl_ord_id": ticket.client_order_id}
    return {"userref": str(terms.userref(ticket))}


def _opened_ns(row: Row) -> int:
    opened = from_epoch_seconds(row.get("opentm"))
    return 0 if opened is None else to_nanos(opened)

"""Makes events of reports: every key in its place, for one account.

The one rule: nothing is decided here; the rest of this room says what is news and what it is called.
Pure. Events are made positionally where they are many: naming 22 keys costs a microsecond.
"""

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, Raw, UnsetType

from privstream.memory.order import KnownOrder
from privstream.model.events import (
    Balance,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Recovered,
    Source,
    Trade,
)
from privstream.model.exact import encode_element
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    NoticeReport,
    OrderFields,
    OrderReport,
    PositionReport,
    PriceReport,
)


@dataclass(frozen=True)
class View:
    """Whose ledger it is, and what of it the user wants to see."""

    exchange: str
    account: str
    channels: frozenset[str]
    symbols: frozenset[str] = frozenset()
    """Unified or exchange spelling, upper case; empty means all."""
    snapshot: bool = True
    raw: bool = False


class EventMaker:
    """Writes the events of one account."""

    def __init__(self, view: View) -> None:
        self._exchange = view.exchange
        self._account = view.account
        self._wants_raw = view.raw

    def order(
        self, order: KnownOrder, report: OrderReport, identity: str, source: Source, received: str
    ) -> Order:
        """The whole order as it is known after a report."""
        facts = order.facts
        known: Any = facts.fields.get
        terms, (fee, fee_currency) = facts.terms, facts.fee()
        client_id, symbol, exchange_symbol, side, kind, force = terms.words
        price, stop, quantity, in_quote = terms.asked
        return Order(
            self._exchange,
            self._account,
            identity,
            report.time,
            received,
            source,
            report.sequence,
            order.order_id,
            client_id,
            symbol,
            exchange_symbol,
            side,
            kind,
            force,
            known("status", "unknown"),
            known("exchange_status"),
            price,
            stop,
            quantity,
            in_quote,
            known("filled"),
            facts.remaining(),
            known("average_price"),
            known("cost"),
            fee,
            fee_currency,
            known("reason"),
            terms.created,
            self._raw(report) if self._wants_raw else UNSET,
        )

    def trade(
        self, fill: Fill, known: OrderFields, identity: str, source: Source, received: str
    ) -> Trade:
        """A fill, with what its order knows and it does not say."""
        return Trade(
            self._exchange,
            self._account,
            identity,
            fill.time,
            received,
            source,
            fill.sequence,
            fill.trade_id,
            fill.order_id,
            fill.client_order_id or known.get("client_order_id"),
            fill.symbol or known.get("symbol"),
            fill.exchange_symbol,
            fill.side,
            fill.order_type or known.get("order_type"),
            fill.liquidity,
            fill.price,
            fill.quantity,
            fill.cost,
            fill.fee,
            fill.fee_currency,
            fill.estimated,
            self._raw(fill) if self._wants_raw else UNSET,
        )

    def balance(
        self, report: BalanceReport, identity: str, source: Source, received: str
    ) -> Balance:
        """A balance."""
        return Balance(
            exchange=self._exchange,
            account=self._account,
            id=identity,
            time=report.time,
            received=received,
            source=source,
            sequence=report.sequence,
            currency=report.currency,
            exchange_currency=report.exchange_currency,
            wallet=report.wallet,
            total=report.total,
            available=report.available,
            hold=report.hold,
            change=report.change,
            reason=report.reason,
            raw=self._raw(report),
        )

    def position(
        self, report: PositionReport, identity: str, source: Source, received: str
    ) -> Position:
        """A position."""
        return Position(
            exchange=self._exchange,
            account=self._account,
            id=identity,
            time=report.time,
            received=received,
            source=source,
            sequence=report.sequence,
            position_id=report.position_id,
            symbol=report.symbol,
            exchange_symbol=report.exchange_symbol,
            side=report.side,
            quantity=report.quantity,
            entry_price=report.entry_price,
            liquidation_price=report.liquidation_price,
            leverage=report.leverage,
            unrealized_pnl=report.unrealized_pnl,
            status=report.status,
            raw=self._raw(report),
        )

    def price(self, report: PriceReport, received: str) -> Price:
        """An order book or quote."""
        return Price(
            exchange=self._exchange,
            account=self._account,
            id=None,
            time=report.time,
            received=received,
            source=report.source,
            sequence=report.sequence,
            symbol=report.symbol,
            exchange_symbol=report.exchange_symbol,
            bids=report.bids,
            asks=report.asks,
            raw=self._raw(report),
        )

    def notice(self, report: NoticeReport, received: str) -> Notice:
        """A word; what could not be read always goes with it."""
        always = report.code == "unrecognised"
        return Notice(
            exchange=self._exchange,
            account=self._account,
            id=None,
            time=report.time,
            received=received,
            source=report.source,
            sequence=report.sequence,
            level=report.level,
            code=report.code,
            text=report.text,
            raw=Raw(encode_element(report.element)) if always else self._raw(report),
        )

    def gap(
        self,
        cause: str,
        since: str,
        until: str,
        *,
        complete: bool,
        recovered: Recovered,
        detail: str | None,
        received: str,
    ) -> Gap:
        """The end of an interruption."""
        return Gap(
            exchange=self._exchange,
            account=self._account,
            id=None,
            time=None,
            received=received,
            source="stream",
            sequence=None,
            cause=cause,
            from_=since,
            to=until,
            complete=complete,
            recovered=recovered,
            detail=detail,
        )

    def _raw(self, report: AnyReport) -> Raw | UnsetType:
        return Raw(encode_element(report.element)) if self._wants_raw else UNSET

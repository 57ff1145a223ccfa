"""The words of order entry, shared by exchanges, connection and command line.

The one rule: an order is a thing that is sent once. Building and reading is pure and
belongs to the exchange; sending, waiting and doubting belong to `connection/ordering.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from msgspec import Struct, structs

from privstream.model.account import Token
from privstream.model.errors import PrivstreamError, UsageError
from privstream.model.events import Side
from privstream.model.reports import AnyReport
from privstream.model.rest import RestFlow
from privstream.model.session import Action, Reply, Send, Session

TimeInForce = Literal["gtc", "gtd", "ioc", "fok", "post_only"]


class Ticket(Struct, frozen=True, kw_only=True):
    """An order that is to be placed, with every amount as it was typed."""

    symbol: str
    """As typed, unified or in the exchange's spelling; `prepare` settles it."""
    side: Side
    order_type: str
    """In the words of the `order` event: `stop_loss_limit`."""
    quantity: str
    price: str | None = None
    """The limit. Relative forms (`+5`, `-1%`) only where the exchange takes them."""
    stop_price: str | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None
    validate: bool = False
    """Nothing is to be placed: the exchange only says whether it would take the order."""
    options: Mapping[str, str] = {}
    """The exchange's own: leverage, userref, start, expire, flags, trailing_offset, …"""


class OrderOption(Struct, frozen=True):
    """An option of `order place` that only this exchange has: `--NAME`, `_` typed as `-`."""

    name: str
    metavar: str
    help: str


class ListOption(Struct, frozen=True):
    """An option of `order list` that only this exchange has, as a key of `open_orders`' filters."""

    name: str
    metavar: str
    help: str
    kind: Literal["text", "moment", "whole"] = "text"
    """A filter's value: text as typed, the epoch's nanoseconds, or a whole number above 0."""


class Answered(Reply, frozen=True):
    """The exchange's answer to the request of this number.

    An error that is Unreachable, but neither RateLimited nor TokenRefused, leaves open
    whether the exchange did what it was asked.
    """

    order_ids: tuple[str, ...] = ()
    """The orders that it names; none where it names none."""
    error: PrivstreamError | None = None
    warnings: tuple[str, ...] = ()
    count: int | None = None
    """Of a cancel of all: how many orders the exchange says it ended."""


DeskAction = Action | Answered
"""An `Answered` is an `Action` already: both spellings of a desk's results fit a session's."""


class OrderDesk(Session, ABC):
    """A session that can also place and cancel: an exchange's own one, with order calls on it.

    Pure like every session. Its `receive` and `tick` yield, besides the session's own actions,
    an `Answered` for each answer; reports of the stream go through unchanged. The tokens in
    what it sends never show in `Send.shown`.
    """

    ahead_ns: int | None = None
    """How far the exchange's clock is ahead of ours, as its answers say; relative times count by it."""

    @abstractmethod
    def place_message(self, ticket: Ticket, request: int) -> Send:
        """The request that places a prepared ticket."""

    @abstractmethod
    def cancel_message(self, order_id: str, request: int) -> Send:
        """The request that cancels one order, by the exchange's id or the client's."""

    @abstractmethod
    def cancel_all_message(self, request: int) -> Send:
        """The request that cancels every open order."""


class MarketView(Struct, frozen=True, kw_only=True):
    """What can be read of a market and of the funds before an order is placed there."""

    last_price: str | None = None
    """Of the last trade; `None` where the exchange does not tell it over REST, or refused."""
    free: Mapping[str, str] = {}
    """What can be spent, by currency, as far as the key may read it."""


class OrderEntry(ABC):
    """Order entry of one account, where an exchange has it: `Exchange.order_entry`.

    It is a `SocketEntry` or a `RestEntry`.
    """

    types: ClassVar[tuple[str, ...]] = ()
    """The order types that it takes, in the words of the `order` event."""
    options: ClassVar[tuple[OrderOption, ...]] = ()
    list_options: ClassVar[tuple[ListOption, ...]] = ()
    can_cancel: ClassVar[bool] = True
    can_validate: ClassVar[bool] = True
    has_stops: ClassVar[bool] = True
    """It has order types with a stop price."""
    forces: ClassVar[tuple[TimeInForce, ...]] = get_args(TimeInForce)
    """The times in force that it takes."""

    @abstractmethod
    def check(self, ticket: Ticket) -> None:
        """Raise UsageError where the ticket cannot be right, before anything is asked or sent."""

    def makes_client_id(self, ticket: Ticket) -> bool:
        """Whether one is made for a ticket without: not beside something that excludes it."""
        try:
            self.check(structs.replace(ticket, client_order_id=str(UUID(int=0, version=4))))
        except UsageError:
            return False
        return True

    @abstractmethod
    def prepare(self, ticket: Ticket) -> RestFlow[Ticket]:
        """The ticket in the exchange's spelling. Raises Refused where it has no such pair."""

    @abstractmethod
    def market(self, ticket: Ticket) -> RestFlow[MarketView]:
        """The last price, and what is free of the two currencies of a prepared ticket."""

    @abstractmethod
    def find(self, ticket: Ticket, since_ns: int) -> RestFlow[tuple[AnyReport, ...]]:
        """What REST knows of orders of this one's client id or reference; () where of none (yet).

        Whether one of them has the terms of the one that was sent is compared elsewhere.
        """

    def unlike(self, row: Any, ticket: Ticket) -> list[str]:  # noqa: ARG002 - of those who tell more
        """What of a row that `find` read is not as sent, of the terms that no event shows."""
        return []

    @abstractmethod
    def get(self, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
        """One order with its fills, by the exchange's id or the client's.

        Raises Refused where the exchange knows no such order.
        """

    @abstractmethod
    def open_orders(self, filters: Mapping[str, Any]) -> RestFlow[tuple[AnyReport, ...]]:
        """The open orders, or what `filters` (the exchange's own options of `list`) ask for."""


class SocketEntry(OrderEntry):
    """Orders are placed and canceled on the private socket."""

    @abstractmethod
    def desk(self, token: Token | None) -> OrderDesk:
        """The session that places orders, and hears of them on the stream."""


class RestEntry(OrderEntry):
    """Orders are placed by a REST call."""

    @abstractmethod
    def place(self, ticket: Ticket) -> RestFlow[tuple[AnyReport, ...]]:
        """Place a prepared ticket; brings the order as it was answered. One call, never repeated."""


STATUSES = ("filled", "closed", "canceled", "open", "partially_filled")
"""What an order may be waited for; `closed` is any end of it."""

"""Tickets and desks of Kraken: what tests of its order entry share."""

from typing import Any

from privstream.exchanges.kraken import Kraken
from privstream.exchanges.kraken.ordering import KrakenEntry
from privstream.exchanges.kraken.ordering.v1 import DeskV1
from privstream.exchanges.kraken.ordering.v2 import DeskV2
from privstream.model.account import Account, Secret, Token
from privstream.model.order_entry import Ticket
from privstream.model.rest import Now, Stamp

TOKEN = "TOKEN-0001"
UUID = "5f0c8b9e-0000-4000-8000-000000000001"
PAIR = {
    "XETHZEUR": {
        "altname": "ETHEUR",
        "wsname": "ETH/EUR",
        "leverage_buy": [2, 3, 5],
        "leverage_sell": [],
    }
}
NOW = Now(1_780_000_000_500_000_000, 1.0)


def entry(protocol: str = "v2") -> KrakenEntry:
    options = {"protocol": protocol}
    credentials = {"api_key": Secret("KEY"), "api_secret": Secret("c2VjcmV0")}
    account = Account("kraken", "kraken", credentials, Kraken.endpoints(options), options)
    found = Kraken(account).order_entry
    assert isinstance(found, KrakenEntry)
    return found


def ticket(kind: str = "limit", side: str = "buy", **terms: Any) -> Ticket:
    """A ticket that lacks nothing; `None` takes something away, options are Kraken's own."""
    usual: dict[str, Any] = {"quantity": "0.250", "symbol": "ETH/EUR"}
    if kind.endswith("limit") or kind == "iceberg":
        usual["price"] = "1890.10"
    if kind.startswith(("stop_loss", "take_profit")):
        usual["stop_price"] = "1900.0"
    own = {"trailing_offset": "120"} if kind.startswith("trailing") else {}
    own |= {"display_quantity": "0.05"} if kind == "iceberg" else {}
    named = {"quantity", "symbol", "price", "stop_price", "time_in_force", "client_order_id"}
    usual |= {key: value for key, value in terms.items() if key in named | {"validate"}}
    own |= {key: value for key, value in terms.items() if key not in named | {"validate"}}
    return Ticket(side=side, order_type=kind, options=own, **usual)  # type: ignore[arg-type]  # as named


def desk_v2() -> DeskV2:
    desk = entry().desk(Token(Secret(TOKEN), expires=900.0))
    assert isinstance(desk, DeskV2)
    list(desk.open(Stamp(NOW, 0)))
    return desk


def desk_v1() -> DeskV1:
    desk = entry("v1").desk(Token(Secret(TOKEN), expires=900.0))
    assert isinstance(desk, DeskV1)
    list(desk.open(Stamp(NOW, 0)))
    return desk


def sent(protocol: str, order: Ticket) -> str:
    """What goes out, without what every request has."""
    entry(protocol).check(order)
    desk = desk_v2() if protocol == "v2" else desk_v1()
    text = desk.place_message(order, 1).text
    if protocol == "v2":
        return text.partition('"params":{')[2].partition(',"token"')[0]
    return text.partition('"reqid":1001,')[2].partition(',"token"')[0]

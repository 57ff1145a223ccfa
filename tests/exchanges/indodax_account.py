"""What the Indodax tests share: an invented account, and the words of its login."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from privstream.exchanges.indodax import Indodax
from privstream.model.account import Account, Secret, Token
from tests.playbook import Playbook, ledger

PAYLOADS = Path(__file__).parents[1] / "payloads" / "indodax"
CHANNEL = "pws:#00000000000000000000000000000000000000aa"
ALL = ("orders", "trades", "balances")
STREAM = (PAYLOADS / "stream.jsonl").read_text().splitlines()
CONNECTED: dict[str, Any] = {
    "id": 1,
    "connect": {
        "client": "00000000-0000-0000-0000-000000000001",
        "version": "5.2.0",
        "expires": True,
        "ttl": 86133,
    },
}
SUBSCRIBED: dict[str, Any] = {"id": 2, "subscribe": {}}


def indodax(*symbols: str, **options: str) -> Indodax:
    """An account with a key of the older kind, unless the options say otherwise."""
    credentials = {"api_key": Secret("TESTKEY-0001"), "api_secret": Secret("test-secret-0001")}
    endpoints, options = Indodax.endpoints(options), {"api": "v1", **options}
    return Indodax(Account("indodax", "indodax", credentials, endpoints, options, symbols))


def token(text: str = "TOKEN") -> Token:
    return Token(Secret(text), expires=86400.0, channel=CHANNEL)


def opened(exchange: Indodax | None = None, *channels: str) -> Playbook:
    session = (exchange or indodax()).session(token(), channels or ALL)
    return Playbook(session, ledger("indodax")).opened()


def streaming(exchange: Indodax | None = None, *channels: str) -> Playbook:
    """Logged in and subscribed."""
    return opened(exchange, *channels).receives(CONNECTED, SUBSCRIBED).forget()


def payload(name: str) -> str:
    return (PAYLOADS / name).read_text()


def pushed(*orders: dict[str, Any], **pub: Any) -> dict[str, Any]:
    """A publication of order updates."""
    data = [{"eventType": "order_update", "order": order} for order in orders]
    return {"push": {"channel": CHANNEL, "pub": {"data": data, **pub}}}


NEW: dict[str, Any] = {
    "orderId": "aaveidr-limit-500",
    "symbol": "aaveidr",
    "side": "BUY",
    "origQty": "0.1",
    "unfilledQty": "0.1",
    "executedQty": "0",
    "price": "4000000",
    "description": "AAVE/IDR",
    "status": "NEW",
    "transactionTime": 1780000000123,
    "clientOrderId": "mine-1",
}


def fill(executed: str, trade_id: str | None = "72057594039000077", **told: Any) -> dict[str, Any]:
    """A FILL of NEW; what is told of the fill may be replaced."""
    information = {
        "participant": "TAKER",
        "qty": executed,
        "filledQty": executed,
        "feeAsset": "idr",
        "fee": "800",
        "taxAsset": "idr",
        "tax": "480",
        "clearingAsset": "idr",
        "clearing": "89",
    }
    information = {key: v for key, v in (information | told).items() if v is not None}
    left = str(Decimal(NEW["origQty"]) - Decimal(executed))
    done = {"status": "FILL", "executedQty": executed, "unfilledQty": left}
    order = NEW | done | {"fillInformation": information}
    return order if trade_id is None else order | {"tradeId": trade_id}

"""Bitfinex's frames with invented values, in the shapes of real ones: rows are never trimmed."""

from typing import Any

from privstream.exchanges.bitfinex import Bitfinex
from privstream.model.account import Account, Secret
from tests.playbook import Playbook, ledger

ALL = ("orders", "trades", "balances", "positions", "notices")
KEY, SECRET = "bfx-key-of-nobody", "bfx-secret-of-nobody"
CREATED, UPDATED = 1_780_000_000_100, 1_780_000_003_250
ORDER_ID, TRADE_ID = 1_900_000_000_001, 1_700_000_001
SERVER_TIME = 1_780_000_004_000

INFO = {"event": "info", "version": 2, "serverId": "s-1", "platform": {"status": 1}}
CONF = {"event": "conf", "status": "OK", "flags": 98304}
LISTS = ([0, "ps", []], [0, "ws", []], [0, "os", []])
SECTIONS = ("orders", "account", "funding", "history", "wallets", "withdraw", "positions")


def account(**options: str) -> Account:
    secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    return Account("bitfinex", "bitfinex", secrets, Bitfinex.endpoints({}), options)


def exchange() -> Bitfinex:
    return Bitfinex(account())


def caps(**read: int) -> dict[str, Any]:
    return {name: {"read": read.get(name, 1), "write": 0} for name in SECTIONS}


def auth(**changed: Any) -> dict[str, Any]:
    return {"event": "auth", "status": "OK", "chanId": 0, "userId": 1, "caps": caps(), **changed}


def refused(code: int, text: str) -> dict[str, Any]:
    return {"event": "auth", "status": "FAILED", "chanId": 0, "code": code, "msg": text}


def opened(*channels: str, of: Bitfinex | None = None, nonce: int = 7) -> Playbook:
    """A session whose socket is open; what it sent is forgotten."""
    bitfinex = of or exchange()
    book = ledger("bitfinex", *(channels or ALL), raw=True)
    return Playbook(bitfinex.session(None, channels or ALL), book).opened(nonce).forget()


def logged_in(*channels: str, of: Bitfinex | None = None) -> Playbook:
    """A session that has logged in and heard empty lists."""
    book = opened(*channels, of=of).receives(INFO, CONF, auth())
    return book.receives(*LISTS).forget()


def order(**changed: Any) -> list[Any]:
    """An order row of 32 elements; the words are those of the documentation, in lower case."""
    row: list[Any] = [None] * 32
    row[0], row[2], row[3] = ORDER_ID, 1_780_000_000_077, "tBTCUST"
    row[4], row[5], row[6], row[7], row[8] = CREATED, UPDATED, 0.5, 0.5, "EXCHANGE LIMIT"
    row[12], row[13], row[16], row[17], row[18], row[19] = 0, "ACTIVE", 60000, 0, 0, 0
    row[23], row[24], row[28], row[31] = 0, 0, "API>BFX", {"source": "api"}
    for name, value in changed.items():
        row[ORDER_WORDS[name]] = value
    return row


ORDER_WORDS = {
    "id": 0, "cid": 2, "symbol": 3, "mts_create": 4, "mts_update": 5, "amount": 6,
    "amount_orig": 7, "type": 8, "mts_tif": 10, "flags": 12, "status": 13, "price": 16,
    "price_avg": 17, "price_aux_limit": 19, "meta": 31,
}  # fmt: skip
TRADE_WORDS = {
    "id": 0, "symbol": 1, "mts": 2, "order_id": 3, "amount": 4, "price": 5, "type": 6,
    "maker": 8, "fee": 9, "fee_currency": 10, "cid": 11,
}  # fmt: skip
POSITION_WORDS = {
    "symbol": 0, "status": 1, "amount": 2, "base_price": 3, "pl": 6, "price_liq": 8,
    "leverage": 9, "id": 11, "mts_update": 13,
}  # fmt: skip


def trade(**changed: Any) -> list[Any]:
    """A `te` row of 12 elements; with fee and fee_currency it is one of `tu`."""
    row = [TRADE_ID, "tBTCUST", UPDATED, ORDER_ID, 0.2, 59999.5, "EXCHANGE LIMIT", 60000, -1]
    row += [None, None, 1_780_000_000_077]
    for name, value in changed.items():
        row[TRADE_WORDS[name]] = value
    return row


FEE = {"fee": -0.0004, "fee_currency": "BTC"}


def wallet(total: float, available: float | None, *, currency: str = "UST", **more: Any) -> Any:
    kind = more.get("kind", "exchange")
    return [kind, currency, total, 0, available, more.get("text"), more.get("meta")]


def position(**changed: Any) -> list[Any]:
    """A position row of 20 elements, not calculated yet."""
    row: list[Any] = ["tETHUST", "ACTIVE", -0.25, 2500.5, 0, 0, None, None, None, None, None, 4711]
    row += [None, None, None, 0, None, 0, None, None]
    for name, value in changed.items():
        row[POSITION_WORDS[name]] = value
    return row


def numbered(frame: list[Any], number: int, account_number: int = 15_000) -> list[Any]:
    """A frame of the account channel as it is with flags 98304."""
    return [*frame, number, account_number, SERVER_TIME]


def heartbeat(number: int) -> list[Any]:
    return [0, "hb", number, SERVER_TIME]

"""The frames that come most often on each exchange's socket: one order, filled over and over.

The one rule: shapes are the exchanges' own, values are invented, and each step is news: a fill
that was never told and the order that it leaves behind.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from privstream.exchanges import find
from privstream.exchanges.base import Exchange
from privstream.model.account import Account, Secret, Token
from privstream.model.rest import Now
from privstream.model.session import Session

START_MS = 1_795_952_520_000
START = datetime.fromtimestamp(START_MS / 1000, UTC)
SIZE = 10**9
"""Of the order: no fill completes it."""
NOW = Now(START_MS * 10**6, 0.0)


@dataclass(frozen=True)
class Wire:
    """One protocol of one exchange."""

    exchange: str
    step: Callable[[int], list[str]]
    """The frames of the fill of this number, counted from 1."""
    first: tuple[str, ...] = ()
    """What stands before the first fill."""
    options: Mapping[str, str] = field(default_factory=dict)

    def frames(self, steps: int) -> Iterator[bytes]:
        """The first frames, and those of so many fills."""
        yield from (text.encode() for text in self.first)
        for number in range(1, steps + 1):
            yield from (text.encode() for text in self.step(number))

    def client(self) -> Exchange:
        """The exchange, with an account that logs in nowhere."""
        kind = find(self.exchange)
        secrets = dict.fromkeys(kind.credentials, Secret("c2VjcmV0"))
        endpoints = kind.endpoints(self.options)
        return kind(Account(self.exchange, self.exchange, secrets, endpoints, self.options))

    def session(self, channels: tuple[str, ...]) -> Session:
        """A session that was never opened, and so never finds the silence odd."""
        return self.client().session(Token(Secret("none"), None), channels)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _second(number: int) -> int:
    return number // 100


# --- Kraken ----------------------------------------------------------------------------

KRAKEN_ORDER = "OAAAAA-BBBBB-CCCCCC"


def _kraken_stamp(number: int) -> str:
    moment = START + timedelta(milliseconds=10 * number)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


KRAKEN_SNAPSHOT = (
    '{"channel":"executions","type":"snapshot","data":[{"order_id":"OAAAAA-BBBBB-CCCCCC",'
    '"exec_type":"new","order_status":"new","symbol":"BTC/USD","side":"sell",'
    '"order_type":"limit","order_qty":1000000000.00000000,"limit_price":26500.0,'
    '"time_in_force":"GTC","cum_qty":0,"timestamp":"2026-11-29T11:30:00.000000Z"}],"sequence":1}'
)
KRAKEN_FILL = (
    '{{"channel":"executions","type":"update","data":[{{"order_id":"{order}","order_userref":3,'
    '"exec_id":"T{number:05d}-AAAAA-BBBBBB","exec_type":"trade","trade_id":{number},'
    '"symbol":"BTC/USD","side":"sell","last_qty":0.00512345,"last_price":26599.90,'
    '"liquidity_ind":"t","cost":136.28325,"order_type":"limit",'
    '"order_status":"partially_filled","timestamp":"{stamp}","cum_qty":{number}.00512345,'
    '"cum_cost":{number}32.9995000000,"avg_price":26599.9000000000,'
    '"fee_usd_equiv":0.3458000000,"margin":false,"margin_borrow":false,"liquidated":false,'
    '"ext_ord_id":"6d1b345e-2821-40e2-ad83-4ecb18a06876",'
    '"fees":[{{"asset":"USD","qty":0.3458000000}}]}}],"sequence":{sequence}}}'
)


def _kraken(number: int) -> list[str]:
    stamp = _kraken_stamp(number)
    return [KRAKEN_FILL.format(order=KRAKEN_ORDER, number=number, stamp=stamp, sequence=number + 1)]


KRAKEN_V1_ORDER = {
    "avg_price": "0.00000",
    "cost": "0.00000",
    "descr": {
        "close": None,
        "leverage": None,
        "order": "sell 1000000000.00000000 XBT/USD @ limit 26500.00000",
        "ordertype": "limit",
        "pair": "XBT/USD",
        "price": "26500.00000",
        "price2": "0.00000",
        "type": "sell",
    },
    "expiretm": None,
    "fee": "0.00000",
    "limitprice": "0.00000",
    "misc": "",
    "oflags": "fciq",
    "opentm": "1795865520.000000",
    "refid": None,
    "starttm": None,
    "status": "open",
    "stopprice": "0.00000",
    "timeinforce": "GTC",
    "userref": 0,
    "vol": "1000000000.00000000",
    "vol_exec": "0.00000000",
}


def _kraken_v1(number: int) -> list[str]:
    moment = f"{START_MS // 1000 + _second(number)}.{number % 100:02d}1234"
    trade = {
        "cost": "136.28325",
        "fee": "0.34580",
        "margin": "0.00000",
        "ordertxid": KRAKEN_ORDER,
        "ordertype": "limit",
        "pair": "XBT/USD",
        "postxid": "OGAAAA-BBBBB-CCCCCC",
        "price": "26599.90000",
        "time": moment,
        "type": "sell",
        "vol": "0.00512345",
    }
    order = {
        "vol_exec": f"{number}.00512345",
        "cost": f"{number}32.99950",
        "fee": f"{number}.34580",
        "avg_price": "26599.90000",
        "lastupdated": moment,
        "userref": 0,
    }
    return [
        _text([[{f"T{number:05d}-AAAAA-BBBBBB": trade}], "ownTrades", {"sequence": number + 1}]),
        _text([[{KRAKEN_ORDER: order}], "openOrders", {"sequence": number + 1}]),
    ]


# --- Bitfinex --------------------------------------------------------------------------

BITFINEX_ORDER = 1_900_000_000_100


def _bitfinex_order(number: int, stamp: int) -> list[Any]:
    status = f"PARTIALLY FILLED @ 50000.0(-0.005): was PARTIALLY FILLED @ 50000.0(-0.{number:08d})"
    # fmt: off
    return [
        BITFINEX_ORDER, None, 1001, "tBTCUSD", START_MS, stamp, -SIZE + number, -SIZE,
        "EXCHANGE LIMIT", None, None, None, 0, status if number else "ACTIVE", None, None, 50000.5,
        50000.0 if number else 0, 0, 0, None, None, None, 0, 0, None, None, None, "API>BFX", None,
        None, {"source": "api"},
    ]
    # fmt: on


def _bitfinex(number: int) -> list[str]:
    stamp = START_MS + 10 * number
    # fmt: off
    fill: list[Any] = [
        70_000_000 + number, "tBTCUSD", stamp, BITFINEX_ORDER, -1.0, 50000.25, "EXCHANGE LIMIT",
        50000.5, 1, None, None, 1001,
    ]
    # fmt: on
    charged = [*fill[:9], -0.00125, "USD", 1001]
    kinds = {"te": fill, "tu": charged, "ou": _bitfinex_order(number, stamp)}
    return [
        _text([0, kind, row, 3 * number - 1 + place, 3 * number + place, stamp])
        for place, (kind, row) in enumerate(kinds.items())
    ]


BITFINEX_LIST = _text([0, "os", [_bitfinex_order(0, START_MS)], 1, 0, START_MS])

# --- Poloniex --------------------------------------------------------------------------


def _poloniex(number: int) -> list[str]:
    stamp = START_MS + 10 * number
    item = {
        "orderId": "410000000000000001",
        "tradeId": str(70_000_000 + number),
        "clientOrderId": "",
        "accountType": "SPOT",
        "eventType": "trade",
        "symbol": "SOL_USDT",
        "side": "SELL",
        "type": "LIMIT",
        "price": "150.25",
        "quantity": f"{SIZE}.00",
        "state": "PARTIALLY_FILLED",
        "createTime": START_MS,
        "tradeTime": stamp,
        "tradePrice": "150.25",
        "tradeQty": "1.00",
        "feeCurrency": "USDT",
        "tradeFee": "0.3005000",
        "tradeAmount": "150.25",
        "filledQuantity": f"{number}.00",
        "filledAmount": f"{number * 15025 / 100:.2f}",
        "ts": stamp + 31,
        "source": "API",
        "orderAmount": "0",
        "matchRole": "MAKER",
    }
    return [_text({"channel": "orders", "data": [item]})]


# --- Indodax ---------------------------------------------------------------------------


def _indodax(number: int) -> list[str]:
    order = {
        "orderId": "aaveidr-limit-41001",
        "tradeId": str(72_057_594_039_000_000 + number),
        "symbol": "aaveidr",
        "side": "SELL",
        "origQty": f"{SIZE}.00000000",
        "unfilledQty": f"{SIZE - number}.00000000",
        "executedQty": f"{number}.00000000",
        "price": "4100100",
        "description": "AAVE/IDR",
        "status": "FILL",
        "transactionTime": START_MS + 10 * number,
        "fillInformation": {
            "participant": "MAKER",
            "filledQty": f"{number}.00000000",
            "qty": "1.00000000",
            "feeAsset": "idr",
            "feeRate": 0.001,
            "fee": "4100",
            "taxAsset": "idr",
            "taxRate": 0.0021,
            "tax": "8610",
            "clearingAsset": "idr",
            "clearingRate": 1.11e-4,
            "clearing": "455",
        },
        "clientOrderId": "lendidr-limit-41001",
    }
    data = [{"eventType": "order_update", "order": order}]
    return [_text({"push": {"channel": "pws:#aa", "pub": {"data": data, "offset": number}}})]


# --- Zerocap ---------------------------------------------------------------------------

ZEROCAP_ORDER = "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a01"


def _zerocap(number: int) -> list[str]:
    stamp = START_MS + 10 * number
    fill = {
        "id": f"5d7e1f44-8e3a-4c0b-b1d2-{number:012d}",
        "timestamp": stamp,
        "symbol": "USDT/AUD",
        "order": ZEROCAP_ORDER,
        "type": "limit",
        "side": "buy",
        "taker_or_maker": "taker",
        "price": 1.55012,
        "amount": 1.5,
        "cost": 2.32518,
        "fee": 0.0025,
        "client_order_id": "",
    }
    order = {
        "id": ZEROCAP_ORDER,
        "timestamp": START_MS,
        "last_trade_timestamp": stamp,
        "status": "open",
        "symbol": "USDT/AUD",
        "type": "limit",
        "time_in_force": "GTC",
        "side": "buy",
        "price": 1.6,
        "average": 1.55012,
        "amount": SIZE,
        "filled": number * 1.5,
        "remaining": SIZE - number * 1.5,
        "cost": 400.8,
        "error_message": "",
        "fee": number * 0.0025,
        "trades": [{key: value for key, value in fill.items() if key != "client_order_id"}],
    }
    return [_text({"type": "trade", "data": fill}), _text({"type": "order", "data": order})]


WIRES: Mapping[str, Wire] = {
    "kraken v2": Wire("kraken", _kraken, (KRAKEN_SNAPSHOT,)),
    "kraken v1": Wire(
        "kraken",
        _kraken_v1,
        (
            _text([[], "ownTrades", {"sequence": 1}]),
            _text([[{KRAKEN_ORDER: KRAKEN_V1_ORDER}], "openOrders", {"sequence": 1}]),
        ),
        {"protocol": "v1"},
    ),
    "bitfinex": Wire("bitfinex", _bitfinex, (BITFINEX_LIST,)),
    "poloniex": Wire("poloniex", _poloniex),
    "indodax": Wire("indodax", _indodax),
    "zerocap": Wire("zerocap", _zerocap),
}

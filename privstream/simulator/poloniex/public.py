"""What anybody may ask: the time, the markets, the currencies."""

from collections.abc import Mapping

from privstream.model.rest import Now
from privstream.simulator.market import Symbol
from privstream.simulator.poloniex.words import CURRENCY_IDS, SYMBOLS, millis, plain

LISTED = 1_659_018_816_626
NAMES: Mapping[str, str] = {"BTC": "Bitcoin", "ETH": "Ethereum", "USDT": "Tether USD"}


def result(path: str, now: Now) -> object | None:
    """The answer of a public call; `None` where the path is none."""
    match path:
        case "/timestamp":
            return {"serverTime": millis(now.wall_ns)}
        case "/markets":
            return [_market(name, symbol) for name, symbol in SYMBOLS.items()]
        case "/v2/currencies":
            return [_currency(coin, number) for coin, number in CURRENCY_IDS.items()]
    return None


def _market(name: str, symbol: Symbol) -> object:
    least = symbol.quantity.scaleb(-3)
    return {
        "symbol": name,
        "baseCurrencyName": symbol.base,
        "quoteCurrencyName": symbol.quote,
        "displayName": symbol.name,
        "state": "NORMAL",
        "visibleStartTime": LISTED,
        "tradableStartTime": LISTED,
        "symbolTradeLimit": {
            "symbol": name,
            "priceScale": symbol.price_digits,
            "quantityScale": symbol.quantity_digits,
            "amountScale": symbol.price_digits + symbol.quantity_digits,
            "minQuantity": plain(least),
            "minAmount": plain(least * symbol.price),
            "highestBid": "0",
            "lowestAsk": "0",
        },
    }


def _currency(coin: str, number: str) -> object:
    network = {
        "id": int(number),
        "coin": coin,
        "name": NAMES.get(coin, coin),
        "currencyType": "address",
        "blockchain": coin,
        "withdrawalEnable": True,
        "depositEnable": True,
        "depositAddress": None,
        "withdrawMin": "5.00000000",
        "decimals": 8,
        "withdrawFee": "1.00000000",
        "minConfirm": 30,
        "contractAddress": None,
    }
    return {
        "id": int(number),
        "coin": coin,
        "delisted": False,
        "tradeEnable": True,
        "name": NAMES.get(coin, coin),
        "networkList": [network],
        "supportCollateral": False,
        "supportBorrow": False,
    }

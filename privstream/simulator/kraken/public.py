"""The public REST calls: the time, the state of the exchange, assets and pairs."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from privstream.model.exact import Number
from privstream.model.rest import Now
from privstream.model.times import from_nanos
from privstream.simulator.kraken.history import KrakenRefused
from privstream.simulator.kraken.words import (
    ALL_ASSETS,
    EARNING,
    FEES,
    LISTED_PAIRS,
    Asset,
    Pair,
    fixed,
)

Query = dict[str, str]


def result(name: str, query: str, system: str, now: Now) -> object:
    """The `result` of a public call; `system` is how Kraken is."""
    calls: dict[str, tuple[Callable[[Query, Now], dict[str, Any]], frozenset[str]]] = {
        "Time": (_time, frozenset()),
        "SystemStatus": (_system_status, frozenset()),
        "Assets": (_assets, frozenset({"asset", "aclass"})),
        "AssetPairs": (_asset_pairs, frozenset({"pair", "info", "aclass_base"})),
        "Ticker": (_ticker, frozenset({"pair", "asset_class"})),
    }
    if name not in calls:
        raise KrakenRefused("EGeneral:Unknown method")
    call, known = calls[name]
    arguments = dict(parse_qsl(query))
    if not arguments.keys() <= known:
        raise KrakenRefused("EGeneral:Invalid arguments")
    answer = call(arguments, now)
    return {"status": system, **answer} if name == "SystemStatus" else answer


def _time(query: Query, now: Now) -> dict[str, Any]:  # noqa: ARG001 - every call is called alike
    return {"unixtime": now.wall_ns // 1_000_000_000, "rfc1123": from_nanos(now.wall_ns)}


def _system_status(query: Query, now: Now) -> dict[str, Any]:  # noqa: ARG001 - every call is called alike
    return {"timestamp": from_nanos(now.wall_ns)[:19] + "Z"}


def _assets(query: Query, now: Now) -> dict[str, Any]:  # noqa: ARG001 - every call is called alike
    asked = query.get("asset", "").split(",") if query.get("asset") else None
    known = [*ALL_ASSETS.values(), *(_earned(ALL_ASSETS[code]) for code in EARNING)]
    chosen = [a for a in known if asked is None or {a.key, a.altname} & set(asked)]
    if not chosen:
        raise KrakenRefused("EQuery:Unknown asset")
    return {asset.key: _asset(asset) for asset in chosen}


def _earned(asset: Asset) -> Asset:
    name = f"{asset.altname}.F"
    return replace(asset, key=name, altname=name)


def _asset_pairs(query: Query, now: Now) -> dict[str, Any]:  # noqa: ARG001 - every call is called alike
    aclass = query.get("aclass_base", "currency")
    listed = [pair for pair in LISTED_PAIRS if pair.aclass == aclass]
    asked = query.get("pair", "").split(",") if query.get("pair") else None
    spellings = {name: p for p in listed for name in (p.key, p.altname, p.wsname)}
    if not listed or (asked is not None and not all(name in spellings for name in asked)):
        raise KrakenRefused("EQuery:Unknown asset pair")  # the whole list, for one name of it
    chosen = listed if asked is None else [spellings[name] for name in asked]
    return {pair.key: _pair(pair) for pair in chosen}


def _ticker(query: Query, now: Now) -> dict[str, Any]:
    aclass = query.get("asset_class", "currency")
    pairs = _asset_pairs({**query, "aclass_base": aclass}, now)
    return {
        pair.key: {"c": [fixed(pair.symbol.price, pair.symbol.price_digits), "0.00100000"]}
        for pair in LISTED_PAIRS
        if pair.key in pairs
    }


def _asset(asset: Asset) -> dict[str, Any]:
    return {
        "aclass": "currency",
        "altname": asset.altname,
        "decimals": asset.digits,
        "display_decimals": min(asset.digits, 5),
        "status": "enabled",
    }


def _pair(pair: Pair) -> dict[str, Any]:
    symbol = pair.symbol
    return {
        "altname": pair.altname,
        **({"wsname": pair.wsname} if pair.named else {}),
        "aclass_base": pair.aclass,
        "base": ALL_ASSETS[symbol.base].key,
        "aclass_quote": "currency",
        "quote": ALL_ASSETS[symbol.quote].key,
        "lot": "unit",
        "cost_decimals": pair.width,
        "pair_decimals": symbol.price_digits,
        "lot_decimals": symbol.quantity_digits,
        "lot_multiplier": 1,
        "leverage_buy": list(pair.leverage),
        "leverage_sell": list(pair.leverage),
        "fees": [[0, Number(fixed(FEES.taker * 100, 2))]],
        "fees_maker": [[0, Number(fixed(FEES.maker * 100, 2))]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": format(pair.ordermin, "f"),
        "costmin": format(pair.costmin, "f"),
        "tick_size": fixed(Decimal(1).scaleb(-symbol.price_digits), symbol.price_digits),
        "status": "online",
    }

"""`addOrder` of WebSocket v1 and AddOrder of REST: flat fields, all of them texts.

The one rule: a price is an absolute number, or begins with +, - or #, or ends with %.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from privstream.model.rest import Now
from privstream.model.times import from_rfc3339, to_nanos
from privstream.simulator.kraken.trading import (
    LIMITED,
    Asked,
    Refusal,
    check_client_id,
    check_deadline,
    check_reference,
    invalid,
    most_leverage,
)
from privstream.simulator.kraken.words import LISTED_PAIRS, ORDER_TYPES, Pair
from privstream.simulator.market import Conditional, Offset, Order
from privstream.simulator.market.desk import TRAILING, TRIGGERED
from privstream.simulator.market.values import OrderType, Side

Fields = Mapping[str, Any]
Interface = Literal["v1", "rest"]
CLOSE = ("close[ordertype]", "close[price]", "close[price2]")
COMMON = frozenset(
    {
        "ordertype",
        "type",
        "pair",
        "volume",
        "price",
        "price2",
        "leverage",
        "margin",
        "reduce_only",
        "oflags",
        "starttm",
        "expiretm",
        "deadline",
        "timeinforce",
        "userref",
        "cl_ord_id",
        "validate",
        *CLOSE,
    }
)
FIELDS: Mapping[Interface, frozenset[str]] = {
    "v1": COMMON | {"stp_type", "sender_sub_id"},
    "rest": COMMON | {"stptype", "displayvol", "trigger"},
}
KINDS: Mapping[str, OrderType] = {spelled: name for name, spelled in ORDER_TYPES.items()}
CLOSE_TYPES = (LIMITED | TRIGGERED) - {"iceberg"}
BOOLEANS = frozenset({"margin", "reduce_only"})
FLAGS = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
FORCES: Mapping[Interface, frozenset[str]] = {
    "v1": frozenset({"GTC", "GTD", "IOC"}),
    "rest": frozenset({"GTC", "GTD", "IOC", "FOK"}),
}
SELF_TRADE = {
    "v1": frozenset({"cancel_newest", "cancel_oldest", "cancel_both"}),
    "rest": frozenset({"cancel-newest", "cancel-oldest", "cancel-both"}),
}
PRICE = re.compile(r"([+#-]?)([0-9]{1,12}(?:\.[0-9]{1,12})?)(%?)", re.ASCII)
AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)
MOMENT = re.compile(r"(\+?)([0-9]{1,12})", re.ASCII)
REFERENCE = re.compile(r"-?[0-9]{1,10}", re.ASCII)
SECOND_NS = 1_000_000_000


def read_order(fields: Fields, now: Now, interface: Interface) -> Asked:
    """What the request asks for. Raises Refusal."""
    _check_texts(fields, interface)
    pair, side, kind = _pair(fields, interface), _side(fields), _type(fields, interface)
    flags = _flags(fields)
    viqc, volume = "viqc" in flags, _amount(fields, "volume")
    order = Order(
        order_id="",
        serial=0,
        symbol=pair.symbol,
        side=side,
        type=kind,
        quantity=Decimal(0) if viqc else volume,
        quote_quantity=volume if viqc else None,
        display_quantity=_amount(fields, "displayvol") if "displayvol" in fields else None,
        post_only="post" in flags,
        reduce_only=fields.get("reduce_only") in {True, "true"},
        fee_in_base="fcib" in flags,
        no_price_protection="nompp" in flags,
        leverage=_leverage(fields, pair),
        client_id=check_client_id(fields["cl_ord_id"]) if "cl_ord_id" in fields else None,
        user_reference=_user_reference(fields),
        close=_close(fields, side),
        reference=_trigger(fields),
        **_times(fields, now, interface),
        **_prices(fields, kind, side, ("price", "price2")),
    )
    # python-kraken-sdk says validate=False with each order it places over REST. For v1, whose
    # field is a text, any text is said to count.
    no = {"false"} if interface == "rest" else set()
    return Asked(order, "validate" in fields and str(fields["validate"]).lower() not in no)


# --- parts -------------------------------------------------------------------------------


def _check_texts(fields: Fields, interface: Interface) -> None:
    for name, value in fields.items():
        if name not in FIELDS[interface]:
            raise Refusal(f"EGeneral:Invalid arguments:{name}")
        flag = interface == "v1" and (name in BOOLEANS or (name == "validate" and value is True))
        if type(value) is not (bool if flag else str):
            invalid(name)
    if "sender_sub_id" in fields:
        invalid("sender_sub_id")  # no institution has this account
    key = "stp_type" if interface == "v1" else "stptype"
    if key in fields and fields[key] not in SELF_TRADE[interface]:
        invalid(key)
    if "cl_ord_id" in fields and "userref" in fields:
        invalid("cl_ord_id and userref")


def _pair(fields: Fields, interface: Interface) -> Pair:
    name = fields.get("pair", "")
    for pair in LISTED_PAIRS:
        if name == pair.wsname or (interface == "rest" and name in {pair.key, pair.altname}):
            return pair
    raise Refusal("EQuery:Unknown asset pair")


def _side(fields: Fields) -> Side:
    side = fields.get("type")
    if side not in {"buy", "sell"}:
        invalid("type")
    return "buy" if side == "buy" else "sell"


def _type(fields: Fields, interface: Interface) -> OrderType:
    kind = KINDS.get(fields.get("ordertype", ""))
    if kind is None or (kind == "iceberg" and interface == "v1"):
        invalid("ordertype")
    return kind


def _amount(fields: Fields, name: str) -> Decimal:
    if not AMOUNT.fullmatch(fields.get(name, "")):
        invalid(name)
    return Decimal(fields[name])


def _flags(fields: Fields) -> frozenset[str]:
    flags = frozenset(name for name in fields.get("oflags", "").split(",") if name)
    if not flags <= FLAGS or flags >= {"fcib", "fciq"}:
        invalid("oflags")
    return flags


def _leverage(fields: Fields, pair: Pair) -> int:
    if fields.get("margin") in {True, "true"}:
        return most_leverage(pair)
    given = fields.get("leverage", "none")
    if given == "none":
        return 0
    if given not in {str(times) for times in pair.leverage}:
        invalid("leverage")
    return int(given)


def _user_reference(fields: Fields) -> int:
    text = fields.get("userref", "0")
    if not REFERENCE.fullmatch(text):
        invalid("userref")
    return check_reference(int(text))


def _trigger(fields: Fields) -> Literal["index", "last"]:
    given = fields.get("trigger", "last")
    if given not in {"index", "last"}:
        invalid("trigger")
    return "index" if given == "index" else "last"


def _times(fields: Fields, now: Now, interface: Interface) -> dict[str, Any]:
    force = fields.get("timeinforce", "GTC")
    if force not in FORCES[interface]:
        invalid("timeinforce")
    starts, expires = (_moment(fields, name, now) for name in ("starttm", "expiretm"))
    if expires is not None and "timeinforce" not in fields:
        force = "GTD"  # an expiry says it too
    if "deadline" in fields:
        check_deadline(_deadline(fields["deadline"]), now)
    return {"time_in_force": force.lower(), "starts_ns": starts, "expires_ns": expires}


def _moment(fields: Fields, name: str, now: Now) -> int | None:
    """From "0", "+SECONDS" or seconds since the epoch."""
    match = MOMENT.fullmatch(fields.get(name, "0"))
    if match is None:
        invalid(name)
    seconds = int(match[2])
    if match[1]:
        return now.wall_ns + seconds * SECOND_NS
    return seconds * SECOND_NS or None


def _deadline(text: str) -> int:
    try:
        moment = from_rfc3339(text)
    except ValueError:
        moment = None
    if moment is None:
        invalid("deadline")
    return to_nanos(moment)


# --- prices ------------------------------------------------------------------------------


def _prices(fields: Fields, kind: OrderType, side: Side, names: tuple[str, str]) -> dict[str, Any]:
    """`price` and `price2`, which mean the limit or the trigger, by type."""
    first, second = names
    wanted = {first} if kind in LIMITED | TRIGGERED else set()
    wanted |= {second} if kind in LIMITED & TRIGGERED else set()
    for name in names:
        if (fields.get(name, "0") in {"", "0"}) == (name in wanted):
            raise Refusal(f"EGeneral:Invalid arguments:{name}")
    if kind not in TRIGGERED:
        return _price(fields, first, "price", _away(kind, side)) if wanted else {}
    told = _price(fields, first, "stop", _away(kind, side))
    if kind in TRAILING and not fields[first].startswith("+"):
        invalid(first)
    if second in wanted:
        told |= _price(fields, second, "price", None)
        if kind in TRAILING and fields[second][0] not in "+-":
            invalid(second)
    return told


def _away(kind: OrderType, side: Side) -> int:
    """On which side of the market `#` puts a price."""
    beyond = kind.startswith("stop_loss")
    return 1 if (side == "buy") == beyond else -1


def _price(fields: Fields, name: str, what: str, away: int | None) -> dict[str, Any]:
    match = PRICE.fullmatch(fields[name])
    if match is None or (match[1] == "#" and away is None) or (match[3] and not match[1]):
        raise Refusal("EOrder:Invalid price:Invalid price argument")
    value = Decimal(match[2])
    if not match[1]:
        return {"price" if what == "price" else "stop_price": value}
    sign = {"+": 1, "-": -1, "#": away or 1}[match[1]]
    return {f"{what}_offset": Offset(sign * value, "pct" if match[3] else "quote")}


def _close(fields: Fields, side: Side) -> Conditional | None:
    given = {name: fields[name] for name in CLOSE if name in fields}
    if not given:
        return None
    kind = KINDS.get(given.get(CLOSE[0], ""))
    if kind is None or kind not in CLOSE_TYPES:
        invalid(CLOSE[0])
    other: Side = "sell" if side == "buy" else "buy"
    return Conditional(type=kind, **_prices(fields, kind, other, (CLOSE[1], CLOSE[2])))

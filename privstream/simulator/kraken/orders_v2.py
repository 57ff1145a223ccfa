"""`add_order` and `cancel_order` of WebSocket v2, read as strictly as Kraken reads them.

The one rule: numbers are JSON numbers, booleans are booleans, and a field that is not
known is refused, not ignored.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NoReturn

from privstream.model.exact import Number
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
from privstream.simulator.kraken.words import ALL_PAIRS, ORDER_TYPES
from privstream.simulator.market import Conditional, Offset, Order
from privstream.simulator.market.desk import TRAILING, TRIGGERED

Fields = Mapping[str, Any]
JsonType = Literal["string", "number_float", "number_integer", "boolean", "object", "array"]
ADD_ORDER: Mapping[str, JsonType] = {
    "order_type": "string",
    "side": "string",
    "symbol": "string",
    "order_qty": "number_float",
    "cash_order_qty": "number_float",
    "limit_price": "number_float",
    "limit_price_type": "string",
    "triggers": "object",
    "time_in_force": "string",
    "margin": "boolean",
    "post_only": "boolean",
    "reduce_only": "boolean",
    "effective_time": "string",
    "expire_time": "string",
    "deadline": "string",
    "cl_ord_id": "string",
    "order_userref": "number_integer",
    "conditional": "object",
    "display_qty": "number_float",
    "fee_preference": "string",
    "no_mpp": "boolean",
    "stp_type": "string",
    "validate": "boolean",
    "sender_sub_id": "string",
    "stop_price": "number_float",
    "trigger": "string",
}
TRIGGERS: Mapping[str, JsonType] = {
    "price": "number_float",
    "reference": "string",
    "price_type": "string",
}
CONDITIONAL: Mapping[str, JsonType] = {
    "order_type": "string",
    "limit_price": "number_float",
    "limit_price_type": "string",
    "trigger_price": "number_float",
    "trigger_price_type": "string",
    "stop_price": "number_float",
}
CANCEL_ORDER: Mapping[str, JsonType] = {
    "order_id": "array",
    "cl_ord_id": "array",
    "order_userref": "array",
}
AMEND_ORDER: Mapping[str, JsonType] = {
    "order_id": "string",
    "cl_ord_id": "string",
    "order_qty": "number_float",
    "limit_price": "number_float",
    "trigger_price": "number_float",
    "post_only": "boolean",
}
AMENDED = {"order_qty": "quantity", "limit_price": "price", "trigger_price": "stop_price"}
FIELDS: Mapping[str, Mapping[str, JsonType]] = {
    "add_order": ADD_ORDER,
    "cancel_order": CANCEL_ORDER,
    "cancel_all": {},
    "amend_order": AMEND_ORDER,
}
TYPES: Mapping[JsonType, tuple[type, ...]] = {
    "string": (str,),
    "number_float": (int, Number),
    "number_integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
CHOICES = {
    "side": frozenset({"buy", "sell"}),
    "order_type": frozenset(ORDER_TYPES.values()),
    "limit_price_type": frozenset({"static", "pct", "quote"}),
    "time_in_force": frozenset({"gtc", "gtd", "ioc", "fok"}),
    "fee_preference": frozenset({"base", "quote"}),
    "stp_type": frozenset({"cancel_newest", "cancel_oldest", "cancel_both"}),
    "trigger": frozenset({"last", "index"}),
}
OFFSETS = {"price": "price_offset", "stop_price": "stop_offset"}
CLOSE_TYPES = CHOICES["order_type"] - {"market", "iceberg", "settle-position"}


class UnknownPair(Refusal):
    """No such symbol; the reply names it."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"Currency pair not supported {symbol}")
        self.symbol = symbol


def check_types(fields: Fields, method: str, known: Mapping[str, JsonType] | None = None) -> None:
    """Refuse fields that are not known, or of the wrong JSON type."""
    known = FIELDS[method] if known is None else known
    for name, value in fields.items():
        if name == "token":
            continue
        if name not in known:
            raise Refusal(f"Unsupported field: '{name}' for the given msg type: {method}")
        if type(value) not in TYPES[known[name]]:
            raise Refusal(f"{name.capitalize()} field must be a {known[name]}")


def read_order(params: Fields, now: Now) -> Asked:
    """What `add_order` asks for. Raises Refusal; its types were checked before."""
    for name in ("order_type", "side", "symbol"):
        if name not in params:
            invalid(name)
    if params["symbol"] not in ALL_PAIRS or not ALL_PAIRS[params["symbol"]].listed:
        raise UnknownPair(params["symbol"])
    for name, known in CHOICES.items():
        if params.get(name, next(iter(known))) not in known:
            invalid(name)
    _check_others(params, now)
    pair = ALL_PAIRS[params["symbol"]]
    order = Order(
        order_id="",
        serial=0,
        symbol=pair.symbol,
        side=params["side"],
        type=params["order_type"].replace("-", "_"),
        quantity=_quantity(params),
        quote_quantity=_amount(params, "cash_order_qty"),
        display_quantity=_amount(params, "display_qty"),
        time_in_force=params.get("time_in_force", "gtc"),
        post_only=params.get("post_only", False),
        reduce_only=params.get("reduce_only", False),
        fee_in_base=params.get("fee_preference") == "base",
        no_price_protection=params.get("no_mpp", False),
        leverage=most_leverage(pair) if params.get("margin") else 0,
        starts_ns=_time(params, "effective_time"),
        expires_ns=_time(params, "expire_time"),
        client_id=check_client_id(params["cl_ord_id"]) if "cl_ord_id" in params else None,
        user_reference=check_reference(params.get("order_userref", 0)),
        close=_conditional(params),
        **_prices(params),
    )
    return Asked(order, params.get("validate", False))


# --- parts -------------------------------------------------------------------------------


def _check_others(params: Fields, now: Now) -> None:
    """What goes into no order."""
    if "cl_ord_id" in params and "order_userref" in params:
        invalid("cl_ord_id and order_userref")
    if "sender_sub_id" in params:
        invalid("sender_sub_id")  # no institution has this account
    deadline = _time(params, "deadline")
    if deadline is not None:
        check_deadline(deadline, now)


def _quantity(params: Fields) -> Decimal:
    if ("order_qty" in params) == ("cash_order_qty" in params):
        invalid("order_qty")
    return Decimal(params.get("order_qty", 0))


def _amount(params: Fields, name: str) -> Decimal | None:
    return Decimal(params[name]) if name in params else None


def _time(params: Fields, name: str) -> int | None:
    if name not in params:
        return None
    try:
        text = from_rfc3339(params[name])
    except ValueError:
        text = None
    if text is None:
        invalid(name)
    return to_nanos(text)


def _prices(params: Fields) -> dict[str, Any]:
    """The limit and the trigger, given as they are or as distances."""
    kind = params["order_type"].replace("-", "_")
    if ("limit_price" in params) != (kind in LIMITED):
        invalid("limit_price")
    trailing_limit = kind == "trailing_stop_limit"
    if "limit_price_type" in params and not trailing_limit:
        invalid("limit_price_type")
    limit_unit = params.get("limit_price_type", "quote" if trailing_limit else "static")
    told = _placed("price", _amount(params, "limit_price"), limit_unit)
    triggers = _triggers(params)
    if bool(triggers) != (kind in TRIGGERED):
        invalid("triggers")
    if not triggers:
        return told
    unit = triggers.get("price_type", "static")
    if kind in TRAILING and unit == "static":
        invalid("triggers")
    told |= _placed("stop_price", Decimal(triggers["price"]), unit)
    return told | {"reference": triggers.get("reference", "last")}


def _triggers(params: Fields) -> Fields:
    triggers = params.get("triggers")
    if triggers is None:  # the deprecated names
        if "stop_price" not in params:
            return {}
        return {"price": params["stop_price"], "reference": params.get("trigger", "last")}
    check_types(triggers, "add_order", TRIGGERS)
    if "price" not in triggers or "stop_price" in params or "trigger" in params:
        invalid("triggers")
    if triggers.get("reference", "last") not in CHOICES["trigger"]:
        invalid("triggers")
    if triggers.get("price_type", "static") not in CHOICES["limit_price_type"]:
        invalid("triggers")
    return dict(triggers)


def _conditional(params: Fields) -> Conditional | None:
    fields = params.get("conditional")
    if fields is None:
        return None
    check_types(fields, "add_order", CONDITIONAL)
    if fields.get("order_type") not in CLOSE_TYPES:
        invalid("conditional")
    kind = fields["order_type"].replace("-", "_")
    for name in ("limit_price_type", "trigger_price_type"):
        if fields.get(name, "static") not in CHOICES["limit_price_type"]:
            invalid("conditional")
    usual = "quote" if kind == "trailing_stop_limit" else "static"
    limit_unit = fields.get("limit_price_type", usual)
    stop = _amount(fields, "trigger_price" if "trigger_price" in fields else "stop_price")
    placed = _placed("price", _amount(fields, "limit_price"), limit_unit)
    placed |= _placed("stop_price", stop, fields.get("trigger_price_type", "static"))
    return Conditional(type=kind, **placed)


def _placed(name: str, value: Decimal | None, unit: str) -> dict[str, Any]:
    if value is None:
        return {}
    if unit == "static":
        return {name: value}
    offset = Offset(value, "pct" if unit == "pct" else "quote")
    return {OFFSETS[name]: offset}


def meant(params: Fields) -> tuple[str, list[Any]]:
    """Which orders `cancel_order` means: the field that names them, and the names."""
    given = [name for name in CANCEL_ORDER if name in params]
    if len(given) != 1:
        _badly_named()
    names = params[given[0]]
    wanted = int if given[0] == "order_userref" else str
    if not names or not all(type(name) is wanted for name in names):
        _badly_named()
    return given[0], names


def amendment(params: Fields) -> tuple[str, str, dict[str, Decimal]]:
    """What `amend_order` asks for: the field that names the order, the name, and the changes."""
    given = [name for name in ("order_id", "cl_ord_id") if name in params]
    changes = {AMENDED[name]: Decimal(params[name]) for name in AMENDED if name in params}
    if len(given) != 1 or not changes:
        invalid("order_id or cl_ord_id, and what is to change")
    return given[0], params[given[0]], changes


def _badly_named() -> NoReturn:
    invalid("order_id, cl_ord_id or order_userref")

"""Smart orders: stops that wait for a price. No channel of the stream tells of them.

The one rule: a smart order and the order that it sets off are two, with an id each. Source:
https://api-docs.poloniex.com/spot/api/private/smart-order, checked 2026-11-30.

Wire example
    {"id":"410000000000000077","state":"PENDING_NEW","type":"STOP_LIMIT","symbol":"BTC_USDT",
     "side":"SELL","quantity":"0.5","price":"58000","stopPrice":"58500","amount":"0",…}
"""

from collections.abc import Iterator

from privstream.exchanges.kit.side_values import KeyedValues, positive
from privstream.exchanges.poloniex import names
from privstream.exchanges.poloniex.orders import Item, read_order, read_terms, told
from privstream.model.events import Source
from privstream.model.reports import AnyReport, NoticeReport, OrderReport
from privstream.model.times import from_millis

TRIGGERED = "triggered"
NOT_STREAMED = NoticeReport(
    level="info",
    code="not_streamed",
    text="Poloniex does not stream stop orders that wait for their price (its smart orders): "
    "they are read over REST at the start, after an interruption and by the audit",
    once="not_streamed",
)


def is_smart(report: AnyReport) -> bool:
    """Whether it is a smart order's row: no other has a price that sets it off."""
    if not isinstance(report, OrderReport):
        return False
    return isinstance(report.element, dict) and "stopPrice" in report.element


def read_smart_order(row: Item, source: Source) -> Iterator[AnyReport]:
    """A smart order, and the order that it set off, if it did."""
    order_id = names.required(row.get("id"), "id")
    values = KeyedValues("order", row)
    state = values.of("state", names.text)
    fields = read_terms(values, size_in_quote="amount") | {
        "stop_price": _stop_price(values),
        "filled": "0",
        "cost": "0",
        "reason": TRIGGERED if state is not None and names.word(state) == TRIGGERED else None,
    }
    yield OrderReport(
        order_id=order_id,
        fields=told(fields),
        time=values.of("updateTime", from_millis) or values.of("createTime", from_millis),
        source=source,
        element=row,
    )
    yield from values.notices(row)
    set_off = row.get("triggeredOrder")
    if isinstance(set_off, dict) and set_off.get("id"):
        yield from read_order(set_off, source)


def _stop_price(values: KeyedValues) -> str | None:
    """What triggers it: of a trailing one only the price from which it trails is stated."""
    kind = values.of("type", names.order_type)
    if kind is not None and kind.startswith("trailing"):
        return None
    return values.of("stopPrice", positive)

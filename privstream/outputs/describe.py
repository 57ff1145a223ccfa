"""What a person is shown of each event, in words and columns.

The one rule: no text of an event leaves this file without having gone through
`safe_text`. A value that is not known is "-" in its column and left out elsewhere.
"""

from contextlib import suppress
from decimal import Decimal

from privstream.model.events import (
    TERMINAL,
    AnyEvent,
    Balance,
    Event,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Status,
    Trade,
)
from privstream.model.exact import EXACT, normal
from privstream.model.times import to_nanos
from privstream.outputs.calendar import Calendar, age
from privstream.outputs.layout import BLANK, NARROW, WIDE, Cells, Part, Row, Span
from privstream.outputs.safe_text import MAX_CELLS, safe_text

UNKNOWN = "-"
REQUESTED = "user_requested"
"""The reason of a cancellation that is no surprise."""
NAME_CELLS = 64
_NANOS = 1_000_000_000
_MINUTE = 60

_ROOMY_TIME, _TIME, _SHORT_TIME = "%H:%M:%S.%f", "%H:%M:%S", "%H:%M"
_ALL = 100  # percent
_SIDES = {"buy": "buy", "long": "buy", "sell": "sell", "short": "sell"}
_STATUSES = {
    "pending": "dim",
    "open": "open",
    "partially_filled": "progress",
    "filled": "good",
    "canceled": "ended",
    "expired": "ended",
    "rejected": "bad",
    "unknown": "warning",
}
_STATES = {
    "connecting": "dim",
    "live": "good",
    "catching_up": "dim",
    "retrying": "warning",
    "stopped": "bad",
}
_LEVELS = {"info": "open", "warning": "warning", "error": "bad"}


def describe(event: AnyEvent) -> Row:
    """An event as a row of columns, in this computer's time."""
    return Describer(Calendar()).describe(event)


class Describer:
    """Takes events apart, with times as its person reads them."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._today = calendar.today()
        self._form = _ROOMY_TIME

    def look(self, cells: int | None) -> None:
        """A new day may have begun; times have decimals, or seconds, where there is room."""
        self._today = self._calendar.today()
        self._form = _ROOMY_TIME if cells is None or cells >= WIDE else _TIME
        if cells is not None and cells < NARROW:
            self._form = _SHORT_TIME

    def describe(self, event: AnyEvent) -> Row:
        """An event as a row of columns."""
        match event:
            case Order():
                row = _order(event)
            case Trade():
                row = _trade(event)
            case Balance():
                row = _balance(event)
            case Position():
                row = _position(event)
            case Price():
                row = _price(event)
            case Notice():
                row = _notice(event)
            case Gap():
                row = _gap(event, self._calendar)
            case Status():
                row = _status(event)
        return row._replace(time=self._moment(event))

    def moment(self, text: str) -> str:
        """A time as it stands in a line."""
        return self._calendar.shown(text, self._today, self._form)

    def _moment(self, event: AnyEvent) -> Span:
        """When it happened, by the exchange's clock, else ours, marked ~; the age of what stood."""
        if _stands(event):
            since = event.created if isinstance(event, Order) else None
            return Span(_age(since or event.time, event.received), "dim")
        text = event.time or event.received
        shown = self.moment(text)
        return Span(shown, "time") if event.time else Span(f"{shown}~", "dim")


def _stands(event: Event) -> bool:
    """It tells what is, not what has just happened."""
    if isinstance(event, Order) and event.time is None and event.source == "rest":
        return event.created is not None and event.status not in TERMINAL
    return event.source == "snapshot" and not isinstance(event, Trade)


def _age(since: str | None, received: str) -> str:
    return "now" if since is None else age(since, received)


# --- account events --------------------------------------------------------------------


def _order(event: Order) -> Row:
    status = _status_word(event)
    quote = _currencies(event.symbol)[1]
    kind = [] if event.order_type in {None, "limit", "market"} else _named("", event.order_type)
    return _row(
        event,
        "order",
        _side(event.side),
        Cells(
            _subject(event.symbol, event.exchange_symbol),
            _amount(event.quantity),
            _limit(event),
            _amount(event.cost),
            Span(status, _STATUSES[event.status]),
        ),
        [
            *kind,
            *_valued("stop", event.stop_price),
            *_valued("for", event.quote_quantity, quote),
            *([] if event.reason == REQUESTED else _named("", event.reason, "warning")),
            *(_filled(event) if event.status in TERMINAL else ()),
        ],
        shown_id=event.order_id,
        brief=_brief(event),
        extras=[
            *(() if event.status in TERMINAL else _filled(event)),
            *_average(event),
            *([] if normal(event.fee) == "0" else _valued("fee", event.fee, event.fee_currency)),
            *([] if event.time_in_force == "gtc" else _named("", event.time_in_force)),
            *_named("client", event.client_order_id),
            *(_named("", event.reason) if event.reason == REQUESTED else ()),
        ],
    )


def _limit(event: Order) -> Span:
    if event.price is None and "market" in (event.order_type or ""):
        return Span("market", "dim")
    return _amount(event.price)


def _filled(event: Order) -> list[Part]:
    """How far an order got, where its status and quantity do not say that already."""
    if event.filled is None or normal(event.filled) in {"0", normal(event.quantity)}:
        return []
    left = _valued("left", event.remaining) if event.status == "partially_filled" else []
    return _valued("filled", event.filled) + left


def _average(event: Order) -> list[Part]:
    if normal(event.average_price) == normal(event.price):
        return []
    return _valued("average", event.average_price)


def _status_word(event: Order) -> str:
    return "partial" if event.status == "partially_filled" else event.status


def _brief(event: Order) -> Span:
    """The status in eight cells; of an order that is filled in part, how far: rounded down."""
    text = _status_word(event)
    if event.status == "partially_filled" and event.filled and event.quantity:
        with suppress(ArithmeticError):
            hundredfold = EXACT.multiply(100, Decimal(event.filled))
            done = int(EXACT.divide(hundredfold, Decimal(event.quantity)))
            text = f"part {done}%" if 0 <= done < _ALL else text
    return Span(text, _STATUSES[event.status])


def _trade(event: Trade) -> Row:
    def stated(name: str, text: str | None) -> str | None:
        return f"≈{text}" if text is not None and name in event.estimated else text

    return _row(
        event,
        "trade",
        _side(event.side),
        Cells(
            _subject(event.symbol, event.exchange_symbol),
            _amount(stated("quantity", event.quantity), "strong"),
            _amount(stated("price", event.price), "strong"),
            _amount(stated("cost", event.cost)),
            Span(event.liquidity or ""),
        ),
        [],
        shown_id=event.order_id or event.trade_id,
        extras=[
            *_valued("fee", stated("fee", event.fee), event.fee_currency),
            *(_named("trade", event.trade_id) if event.order_id else ()),
            *_named("client", event.client_order_id),
        ],
    )


def _balance(event: Balance) -> Row:
    parts = _valued("available", event.available)
    if event.hold is not None and normal(event.hold) != "0":
        parts += _valued("hold", event.hold)
    return _row(
        event,
        "balance",
        None,
        Cells(
            _subject(event.currency, event.exchange_currency),
            _amount(event.total, "strong"),
            BLANK if event.change is None else _change(event.change),
            Span(safe_text(event.wallet or "", NAME_CELLS)),
            Span(safe_text(event.reason or "", NAME_CELLS)),
        ),
        [],
        extras=parts,
    )


def _change(change: str) -> Span:
    """An amount with its sign, so that it is never taken for a price."""
    if change.startswith("-"):
        return Span(safe_text(change), "sell")
    return Span(f"+{safe_text(change)}", "buy")


def _position(event: Position) -> Row:
    side = _side(event.side)
    return _row(
        event,
        "position",
        side,
        Cells(
            _subject(event.symbol, event.exchange_symbol),
            _amount(event.quantity, side.style),
            _amount(event.entry_price),
        ),
        [
            *_named("", event.status),
            *([] if event.unrealized_pnl is None else [_profit(event.unrealized_pnl)]),
            *_valued("liquidation", event.liquidation_price),
        ],
        extras=[
            *_valued("leverage", event.leverage),
            *_named("", event.position_id, "id"),
        ],
    )


def _profit(amount: str) -> Part:
    return Part((Span("pnl ", "dim"), _change(amount)))


def _price(event: Price) -> Row:
    subject = _subject(event.symbol, event.exchange_symbol)
    parts = [Part((subject,), 1), *_best("bid", event.bids), *_best("ask", event.asks)]
    return _row(event, "price", None, None, parts)


def _best(name: str, levels: tuple[tuple[str, str], ...]) -> list[Part]:
    if not levels:
        return [Part((Span(f"{name} ", "dim"), Span(UNKNOWN, "dim")))]
    price, quantity = levels[0]
    more = f" (+{len(levels) - 1})" if len(levels) > 1 else ""
    style = "buy" if name == "bid" else "sell"
    return [
        Part(
            (
                Span(f"{name} ", "dim"),
                Span(safe_text(price), style),
                Span(f" x {safe_text(quantity)}"),
                Span(more, "dim"),
            )
        )
    ]


# --- what else a person must know ------------------------------------------------------


def _notice(event: Notice) -> Row:
    style = _LEVELS[event.level]
    parts = [Part((Span(event.level, style),), 1), *_named("", event.code, "strong")]
    words = _words(event.text, style if event.level == "error" else "")
    return _row(event, Span("notice", style), None, None, [*parts, *words])


def _gap(event: Gap, calendar: Calendar) -> Row:
    counts = [
        f"{count} {kind if count != 1 else kind[:-1]}"
        for kind in ("orders", "trades", "balances")
        if (count := getattr(event.recovered, kind))
    ]
    return _row(
        event,
        Span("GAP", "warning" if event.complete else "alarm"),
        None,
        None,
        [
            Part((Span(safe_text(event.cause, NAME_CELLS), "strong"),), 1),
            *_duration_of(event),
            Part((Span("complete", "good") if event.complete else Span("INCOMPLETE", "alarm"),)),
            *_words(_interval(event, calendar)),
            Part((Span("recovered ", "dim"), Span(", ".join(counts) or "nothing"))),
            *_words(event.detail or "", "" if event.complete else "bad"),
        ],
    )


def _duration_of(gap: Gap) -> list[Part]:
    try:
        seconds = (to_nanos(gap.to) - to_nanos(gap.from_)) / _NANOS
    except ValueError:  # no times of ours
        return []
    return [Part((Span(_duration(seconds), "strong"),))]


def _interval(gap: Gap, calendar: Calendar) -> str:
    """From when to when; with the date of both where it is not that of the end's own day."""
    today = calendar.day(gap.received) or calendar.today()
    return " to ".join(calendar.shown(moment, today, _ROOMY_TIME) for moment in (gap.from_, gap.to))


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _status(event: Status) -> Row:
    state: str = event.state
    if event.retry_in is not None:
        state += f" in {_duration(event.retry_in)}"
    parts = [Part((Span(state, _STATES[event.state]),), 1)]
    if event.attempt is not None and event.attempt > 1:
        parts.append(Part((Span(f"attempt {event.attempt}", "dim"),)))
    return _row(event, "status", None, None, [*parts, *_words(event.detail or "")])


# --- columns and parts -----------------------------------------------------------------


def _row(
    event: Event,
    kind: str | Span,
    side: Span | None,
    cells: Cells | None,
    parts: list[Part],
    *,
    shown_id: str | None = None,
    brief: Span | None = None,
    extras: list[Part] | None = None,
) -> Row:
    extras = extras or []
    if event.source == "rest":
        extras = [Part((Span(event.source, "source"),)), *extras]
    elif event.source == "snapshot":
        extras = [*extras, Part((Span(event.source, "source"),))]
    return Row(
        time=BLANK,
        account=safe_text(event.account, NAME_CELLS),
        kind=kind if isinstance(kind, Span) else Span(kind),
        side=side,
        cells=cells,
        parts=tuple(parts),
        id=None if shown_id is None else safe_text(shown_id, MAX_CELLS),
        extras=tuple(extras),
        brief=brief,
        faded=event.source == "snapshot",
    )


def _side(side: str | None) -> Span:
    return Span(UNKNOWN, "dim") if side is None else Span(side, _SIDES.get(side, "dim"))


def _subject(name: str | None, exchange_name: str | None) -> Span:
    return Span(safe_text(name or exchange_name or UNKNOWN, NAME_CELLS), "subject")


def _currencies(symbol: str | None) -> tuple[str | None, str | None]:
    base, slash, quote = (symbol or "").partition("/")
    return (base, quote) if slash else (None, None)


def _amount(text: str | None, style: str = "number") -> Span:
    return Span(UNKNOWN, "dim") if text is None else Span(safe_text(text), style)


def _valued(label: str, amount: str | None, currency: str | None = None) -> list[Part]:
    if amount is None:
        return []
    unit = f" {safe_text(currency, NAME_CELLS)}" if currency else ""
    return [Part((Span(f"{label} ", "dim"), Span(safe_text(amount), "number"), Span(unit)))]


def _named(label: str, text: str | None, style: str = "") -> list[Part]:
    if text is None:
        return []
    value = Span(safe_text(text, MAX_CELLS), style)
    return [Part((Span(f"{label} ", "dim"), value) if label else (value,))]


def _words(text: str, style: str = "") -> list[Part]:
    """Free text, word by word, so that it goes on below where the line ends."""
    words = safe_text(text, MAX_CELLS).split(" ")
    return [Part((Span(word, style),), 1 if at else 2) for at, word in enumerate(words) if word]

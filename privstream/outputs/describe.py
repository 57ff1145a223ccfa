"""What a person is shown of each event, in words and columns.

The one rule: no text of an event leaves this file without having gone through
`safe_text`. A value that is not known is "-" in its column and left out elsewhere.
"""

from privstream.model.events import (
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
from privstream.model.exact import normal
from privstream.model.times import to_nanos
from privstream.outputs.layout import Numbers, Part, Row, Span
from privstream.outputs.safe_text import MAX_CELLS, safe_text

UNKNOWN = "-"
NAME_CELLS = 64
_FULL_TIME = len("2026-11-20T11:32:00.123456Z")
_NANOS = 1_000_000_000
_MINUTE = 60

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
            row = _gap(event)
        case Status():
            row = _status(event)
    return row


# --- account events --------------------------------------------------------------------


def _order(event: Order) -> Row:
    status = "partial" if event.status == "partially_filled" else event.status
    parts = [Part((Span(status, _STATUSES[event.status]),))]
    if event.order_type not in {None, "limit", "market"}:
        parts += _named("", event.order_type)
    parts += _valued("stop", event.stop_price)
    parts += _valued("for", event.quote_quantity, _currencies(event.symbol)[1])
    parts += _progress(event)
    parts += _named("", event.reason, "warning")
    return _row(
        event,
        "order",
        _side(event.side),
        Numbers(
            _subject(event.symbol, event.exchange_symbol),
            _amount(event.quantity),
            _limit(event),
        ),
        parts,
        shown_id=event.order_id,
        extras=[
            *_valued("fee", event.fee, event.fee_currency),
            *_named("", event.time_in_force),
            *_named("client", event.client_order_id),
        ],
    )


def _limit(event: Order) -> Span:
    if event.price is None and "market" in (event.order_type or ""):
        return Span("market", "dim")
    return _amount(event.price)


def _progress(event: Order) -> list[Part]:
    """How far an order got, where its status and quantity do not say that already."""
    parts: list[Part] = []
    if event.filled is not None and normal(event.filled) not in {"0", normal(event.quantity)}:
        parts += _valued("filled", event.filled)
        if event.status == "partially_filled":
            parts += _valued("left", event.remaining)
    return parts + _valued("average", event.average_price)


def _trade(event: Trade) -> Row:
    def stated(name: str, text: str | None) -> str | None:
        return f"≈{text}" if text is not None and name in event.estimated else text

    return _row(
        event,
        "trade",
        _side(event.side),
        Numbers(
            _subject(event.symbol, event.exchange_symbol),
            _amount(stated("quantity", event.quantity), "strong"),
            _amount(stated("price", event.price), "strong"),
        ),
        [
            *_valued("fee", stated("fee", event.fee), event.fee_currency),
            *_named("", event.liquidity),
        ],
        shown_id=event.order_id or event.trade_id,
        extras=[
            *_valued("cost", stated("cost", event.cost), _currencies(event.symbol)[1]),
            *(_named("trade", event.trade_id) if event.order_id else ()),
            *_named("client", event.client_order_id),
        ],
    )


def _balance(event: Balance) -> Row:
    parts = _valued("available", event.available)
    if event.hold is not None and normal(event.hold) != "0":
        parts += _valued("hold", event.hold)
    parts += _named("", event.wallet)
    parts += _named("", event.reason)
    return _row(
        event,
        "balance",
        None,
        Numbers(
            _subject(event.currency, event.exchange_currency),
            _amount(event.total, "strong"),
            None if event.change is None else _change(event.change),
        ),
        parts,
    )


def _change(change: str) -> Span:
    """An amount with its sign, so that it is never taken for a price."""
    if change.startswith("-"):
        return Span(safe_text(change), "sell")
    return Span(f"+{safe_text(change)}", "buy")


def _position(event: Position) -> Row:
    side = _side(event.side)
    parts = [Part((side,)), *_named("", event.status)]
    if event.unrealized_pnl is not None:
        parts.append(Part((Span("pnl ", "dim"), _change(event.unrealized_pnl))))
    parts += _valued("leverage", event.leverage)
    parts += _valued("liquidation", event.liquidation_price)
    return _row(
        event,
        "position",
        None,
        Numbers(
            _subject(event.symbol, event.exchange_symbol),
            _amount(event.quantity, side.style),
            _amount(event.entry_price),
        ),
        parts,
        shown_id=event.position_id,
    )


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


def _gap(event: Gap) -> Row:
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
            Part((Span(_interval(event.from_, event.to)),)),
            Part((Span("recovered ", "dim"), Span(", ".join(counts) or "nothing"))),
            *_words(event.detail or "", "" if event.complete else "bad"),
        ],
    )


def _duration_of(gap: Gap) -> list[Part]:
    if len(gap.from_) != _FULL_TIME or len(gap.to) != _FULL_TIME:
        return []
    seconds = (to_nanos(gap.to) - to_nanos(gap.from_)) / _NANOS
    return [Part((Span(_duration(seconds), "strong"),))]


def _interval(start: str, end: str) -> str:
    if start[:10] == end[:10]:
        start, end = start[11:23], end[11:23]
    else:
        start, end = (moment[:19].replace("T", " ") for moment in (start, end))
    return safe_text(f"{start} to {end}")


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
    numbers: Numbers | None,
    parts: list[Part],
    *,
    shown_id: str | None = None,
    extras: list[Part] | None = None,
) -> Row:
    if event.source != "stream":
        parts = [*parts, Part((Span(event.source, "source"),))]
    return Row(
        time=_moment(event),
        account=safe_text(event.account, NAME_CELLS),
        kind=kind if isinstance(kind, Span) else Span(kind),
        side=side,
        numbers=numbers,
        parts=tuple(parts),
        id=None if shown_id is None else safe_text(shown_id, MAX_CELLS),
        extras=tuple(extras or ()),
        faded=event.source == "snapshot",
    )


def _moment(event: Event) -> Span:
    """The exchange's time, else ours, dimmed and marked ~; a day other than today with its date."""
    text = event.time or event.received
    mark, style = ("", "time") if event.time else ("~", "dim")
    if len(text) != _FULL_TIME:
        return Span(f"{safe_text(text, NAME_CELLS):<12}{mark:1}", style)
    shown = text[11:23]
    if text[:10] != event.received[:10]:
        same_year = text[:4] == event.received[:4]
        shown = f"{text[5:10]} {text[11:16]}" if same_year else text[:10]
    return Span(f"{safe_text(shown):<12}{mark:1}", style)


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

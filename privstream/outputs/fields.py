"""`--fields`: the columns that somebody chose, in the words of the JSON keys.

The one rule: a gap, a notice and a state of the connection are shown whole, whatever was chosen.
"""

from collections.abc import Callable, Sequence

from privstream.model.errors import UsageError
from privstream.model.events import TYPES, AnyEvent, Gap, Notice, Status
from privstream.model.nearest import suggestion
from privstream.outputs.layout import Span
from privstream.outputs.safe_text import MAX_CELLS, safe_text, width

_LEFT_OUT = frozenset({"raw", "bids", "asks", "from_", "to", "complete", "recovered", "estimated"})
_TIMES = frozenset({"time", "received", "created"})
_AMOUNTS = frozenset(
    [
        "price",
        "stop_price",
        "quantity",
        "quote_quantity",
        "filled",
        "remaining",
        "average_price",
        "cost",
        "fee",
        "total",
        "available",
        "hold",
        "change",
        "entry_price",
        "liquidation_price",
        "leverage",
        "unrealized_pnl",
    ]
)
_WIDEST = 24
UNKNOWN = "-"

KNOWN: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            "type",
            *(
                name
                for kind in TYPES.values()
                if kind not in {Gap, Notice, Status}
                for name in kind.__struct_fields__
                if name not in _LEFT_OUT
            ),
        ]
    )
)
"""Every name that may be chosen."""


def chosen(text: str) -> tuple[str, ...]:
    """The names in `time,side,symbol`. Raises UsageError for one that no event has."""
    names = tuple(name.strip().lower() for name in text.split(","))
    known = f"it takes {', '.join(KNOWN)}"
    for name in names:
        if not name:
            raise UsageError("--fields: there is nothing between two commas", known)
        if name not in KNOWN:
            shown = safe_text(name, MAX_CELLS)
            raise UsageError(f"--fields: no event has {shown!r}", suggestion(name, KNOWN, known))
    return names


class Fields:
    """Lines of the chosen columns; each grows to what it has shown."""

    def __init__(self, names: Sequence[str], moment: Callable[[str], str]) -> None:
        self._names = names
        self._moment = moment
        self._widths = dict.fromkeys(names, 0)

    def spans(self, event: AnyEvent) -> list[Span] | None:
        """The columns with the blanks between them; `None` where the event is shown whole."""
        if isinstance(event, Gap | Notice | Status):
            return None
        values = [self._value(event, name) for name in self._names]
        for name, value in zip(self._names, values, strict=True):
            self._widths[name] = max(self._widths[name], min(width(value), _WIDEST))
        last = len(values) - 1
        return [
            Span(self._filled(name, value, is_last=at == last), _style(name, value))
            for at, (name, value) in enumerate(zip(self._names, values, strict=True))
        ]

    def _value(self, event: AnyEvent, name: str) -> str:
        value = event.__struct_config__.tag if name == "type" else getattr(event, name, None)
        if value is None:
            return UNKNOWN
        return self._moment(str(value)) if name in _TIMES else safe_text(str(value), MAX_CELLS)

    def _filled(self, name: str, value: str, *, is_last: bool) -> str:
        blanks = " " * (self._widths[name] - width(value))
        if name in _AMOUNTS:
            value = blanks + value
        elif not is_last:
            value += blanks
        return value if is_last else f"{value} "


def _style(name: str, value: str) -> str:
    if value.strip() == UNKNOWN:
        return "dim"
    if name == "side":
        return {"buy": "buy", "long": "buy", "sell": "sell", "short": "sell"}.get(value, "")
    return {"symbol": "subject", "currency": "subject", "account": "account"}.get(name, "")

"""Events for a person: one aligned, coloured line each.

The one rule: Rich only makes colours of our own style names. It is never given an
event's text to interpret, and is loaded only where a line is to be coloured.
"""

from collections.abc import Callable, Collection, Sequence

from privstream.model.events import AnyEvent
from privstream.outputs.describe import describe
from privstream.outputs.descriptor import Patience, write_all
from privstream.outputs.layout import Columns, Paint, Span, plain
from privstream.outputs.terminal import line_width

STYLES = {
    "time": "",
    "account": "cyan",
    "subject": "bold",
    "number": "",
    "strong": "bold",
    "buy": "green",
    "sell": "red",
    "open": "cyan",
    "progress": "yellow",
    "good": "bold green",
    "ended": "magenta",
    "bad": "bold red",
    "warning": "bold yellow",
    "alarm": "bold white on red",
    "dim": "dim",
    "id": "dim",
    "source": "dim italic",
}


class Pretty:
    """Writes lines for a person to an open file descriptor, which stays open.

    `accounts` are the ones that are watched: a narrow terminal leaves out the only one.
    """

    def __init__(
        self,
        fd: int,
        *,
        colour: bool = False,
        accounts: Collection[str] = (),
        line_width: Callable[[int], int | None] = line_width,
        patience: Patience | None = None,
    ) -> None:
        self._fd = fd
        self._patience = patience
        self._paint = colours() if colour else plain
        self._columns = Columns(accounts)
        self._line_width = line_width  # asked for each batch: a window may be resized

    def write(self, events: Sequence[AnyEvent], /) -> None:
        write_all(self._fd, self.lines(events).encode(), self._patience)

    def lines(self, events: Sequence[AnyEvent]) -> str:
        """What `write` writes, as text."""
        cells = self._line_width(self._fd)
        return "".join(
            self._columns.lay_out(describe(event), cells, self._paint) + "\n" for event in events
        )

    def close(self) -> None:
        """Nothing is held."""


def colours() -> Paint:
    """Paints spans with the terminal's own sixteen colours."""
    from rich.color import ColorSystem  # noqa: PLC0415 - 20 ms that only a terminal needs
    from rich.style import Style  # noqa: PLC0415

    styles = {name: Style.parse(style) for name, style in STYLES.items() if style}

    def paint(span: Span) -> str:
        style = styles.get(span.style)
        if style is None:
            return span.text
        return style.render(span.text, color_system=ColorSystem.STANDARD)

    return paint

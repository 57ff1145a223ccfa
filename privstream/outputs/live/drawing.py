"""Lines of spans as Rich draws them: the alternate screen, colours, frames as text.

The one rule: Rich is never given an event's text to interpret. Only `--live` loads this file.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from io import StringIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.style import Style

from privstream.outputs.layout import Span
from privstream.outputs.live.table import Line
from privstream.outputs.pretty import STYLES

OVER = {
    "changed": "reverse",
    "faded": "dim",
    "bar": "reverse",
    "attention": "bold magenta",
    "heading": "dim underline",
}
WITHOUT_COLOUR = {"alarm": "bold reverse", "warning": "bold", "bad": "bold", "attention": "bold"}
"""What nobody may miss, where colours are taken away."""
PLAIN = str.maketrans(
    dict(zip("●◌◐↻■▶─│▏▎▍▌▋▊▉█░▁▂▃▄▅▆▇≈•…↑↓", "*o~!x>-|:::::::#._..::==~*.^v", strict=True))
)
"""For terminals that show ASCII only."""
LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
"""Ends the alternate screen and shows the cursor again, from whatever state."""


class Lines:
    """Spans to be drawn as they are, one line each; a Rich renderable."""

    def __init__(
        self, lines: Sequence[Line], *, colour: bool = True, ascii_only: bool = False
    ) -> None:
        self._lines = lines
        self._colour = colour
        self._ascii_only = ascii_only

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, line in enumerate(self._lines):
            if number:
                yield Segment.line()
            yield from self._segments(line)

    def _segments(self, line: Line) -> Iterable[Segment]:
        for span in filter(_has_text, line.spans):
            name = f"{span.style}+{line.style}" if line.style else span.style
            yield Segment(self._shown(span), style(name, self._colour))

    def _shown(self, span: Span) -> str:
        if not self._ascii_only or span.text.isascii():
            return span.text
        return span.text.translate(PLAIN).encode("ascii", "replace").decode()


def _has_text(span: Span) -> bool:
    return bool(span.text)


@cache
def style(names: str, colour: bool) -> Style:  # noqa: FBT001 - a key of the cache
    """The style of a span, with that of its line over it."""
    styles = STYLES | OVER if colour else STYLES | OVER | WITHOUT_COLOUR
    named = [Style.parse(styles[name]) for name in names.split("+") if name]
    return Style.combine(named) if named else Style.null()


class Drawing:
    """Makes frames; what is to be written to the terminal comes out as text."""

    def __init__(self, *, colour: bool, ascii_only: bool = False) -> None:
        self._buffer = StringIO()
        self._colour = colour
        self._ascii_only = ascii_only
        # Its own look at the environment is not wanted: TERM and NO_COLOR were looked at before.
        self._console = Console(
            file=self._buffer,
            force_terminal=True,
            force_interactive=True,
            color_system="standard",
            no_color=not colour,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
            width=80,
            height=24,
            _environ={"TERM": "xterm"},
        )
        self._live: Live | None = None

    def begin(self) -> str:
        """What takes the screen over."""
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self._taken()

    def frame(self, lines: Sequence[Line], cells: int, height: int) -> str:
        """What draws the whole screen anew."""
        if self._live is None:
            return ""
        self._console.size = (cells, height)
        drawn = Lines(lines, colour=self._colour, ascii_only=self._ascii_only)
        self._live.update(drawn, refresh=True)
        return self._taken()

    def end(self) -> None:
        """No more frames; `LEAVE` is what gives the screen back."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._taken()

    def _taken(self) -> str:
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text

"""What a descriptor can show: colour or not, and how many cells a line has."""

import os


def is_lively(fd: int, *, no_color: bool = False) -> bool:
    """Whether colour and animation are welcome there: a terminal that nobody made plain."""
    return (
        not no_color
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") not in {"dumb", "unknown"}
        and os.isatty(fd)
    )


def line_width(fd: int) -> int | None:
    """The cells of a terminal's line now, or `None` where lines have no end."""
    try:
        columns = os.get_terminal_size(fd).columns
    except OSError:
        return None
    return columns or None  # 0: a terminal that does not know

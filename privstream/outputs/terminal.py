"""What a descriptor can show: colour or not, and how many cells a line has."""

import os
from collections.abc import Mapping


def is_lively(fd: int, variables: Mapping[str, str]) -> bool:
    """Whether colour and animation are welcome there: a terminal that nobody made plain."""
    return (
        not variables.get("NO_COLOR")
        and variables.get("TERM") not in {"dumb", "unknown"}
        and os.isatty(fd)
    )


def can_redraw(fd: int, variables: Mapping[str, str]) -> bool:
    """Whether a line there can be written anew in its place, with or without colour."""
    return variables.get("TERM") not in {"dumb", "unknown"} and os.isatty(fd)


def line_width(fd: int) -> int | None:
    """The cells of a terminal's line now, or `None` where lines have no end."""
    try:
        columns = os.get_terminal_size(fd).columns
    except OSError:
        return None
    return columns or None  # 0: a terminal that does not know

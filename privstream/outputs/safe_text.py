r"""Foreign text made harmless for a terminal.

The one rule: what comes out is visible, takes the cells that `width` says and
commands nothing. What a terminal would obey or hide is written as its code (`\x1b`).
"""

from unicodedata import category, east_asian_width

MAX_CELLS = 300
ELLIPSIS = "…"

# Not printable says Python of controls, formats (bidi, zero width, tags), surrogates, private
# use, unassigned, separators. Marks take no cell either, nor do these letters that show nothing.
_MARKS = frozenset({"Mn", "Me"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_LAST_BYTE, _LAST_OF_BASIC_PLANE = 0xFF, 0xFFFF


def safe_text(text: str, cells: int | None = None) -> str:
    """The same text, everything invisible or obeyed written as its code, at most `cells` wide."""
    if cells is not None and len(text) > cells:
        text = text[: cells + 1]  # a character that shows takes a cell at least
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, text))
    return text if cells is None else shorten(text, cells)


def _visible(character: str) -> str:
    shown = (
        character.isprintable()
        and character not in _BLANK_LETTERS
        and category(character) not in _MARKS
    )
    return character if shown else _code(ord(character))


def _code(code: int) -> str:
    if code <= _LAST_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_OF_BASIC_PLANE else f"\\U{code:08x}"


def width(text: str) -> int:
    """How many cells a safe text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1


def shorten(text: str, cells: int) -> str:
    """The beginning of a safe text, with … where something was cut off: words, if there are any."""
    if width(text) <= cells:
        return text
    end = _fitting(text, cells - 1)
    if text[end] != " " and " " in text[:end].lstrip(" "):
        end = text.rindex(" ", 0, end)
    return text[:end].rstrip(" ") + ELLIPSIS


def wrapped(text: str, cells: int | None) -> list[str]:
    """A safe text in lines of at most so many cells, where its words allow it."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and (cells is None or width(lines[-1]) + 1 + width(word) <= cells):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def shorten_id(text: str, cells: int) -> str:
    """The beginning of an id, by which it can be found, with … where something was cut off."""
    return text if width(text) <= cells else text[: _fitting(text, cells - 1)] + ELLIPSIS


def _fitting(text: str, room: int) -> int:
    """How many of its characters so many cells have room for."""
    end = 0
    while end < len(text) and (room := room - _cells(text[end])) >= 0:
        end += 1
    return end

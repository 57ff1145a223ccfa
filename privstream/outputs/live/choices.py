"""What the person at the keys has chosen: a pane, a place in it, a filter, to pause. Pure."""

from enum import StrEnum
from typing import Literal

KeyAction = Literal["quit", "redraw", "pause"]
"""What is not done by choosing alone."""


class Name(StrEnum):
    """The panes, in the order of `tab`."""

    ORDERS = "orders"
    FILLS = "fills"
    BALANCES = "balances"
    POSITIONS = "positions"
    PRICES = "prices"
    MESSAGES = "messages"


FILTER_CELLS = 40


class Choices:
    """Changed by keys; read by whoever draws."""

    def __init__(self) -> None:
        self.panes: tuple[Name, ...] = (Name.ORDERS,)
        """Those that there are."""
        self.focus = Name.ORDERS
        self.offsets: dict[Name, int] = {}
        """The first row that is shown; whoever draws keeps it within what there is."""
        self.page = 1
        """Rows of the chosen pane that were shown last."""
        self.filter = ""
        self.is_typing = False
        """What is typed goes to the filter."""
        self.is_helping = False

    def offer(self, panes: tuple[Name, ...]) -> None:
        """These panes are there now."""
        self.panes = panes
        if self.focus not in panes:
            self.focus = panes[0]

    def press(self, key: str) -> KeyAction | None:
        """A key was pressed."""
        if self.is_typing:
            self._type(key)
            return None
        if self.is_helping:
            self.is_helping = False
            return None if key in {"?", "escape", "enter"} else self._choose(key)
        return self._choose(key)

    def _choose(self, key: str) -> KeyAction | None:
        match key:
            case "q" | "Q" | "end_of_input":
                return "quit"
            case "p" | "P" | " ":
                return "pause"
            case "redraw":
                return "redraw"
            case "?" | "h":
                self.is_helping = True
            case "/":
                self.is_typing = True
            case "escape":
                self._clear()
            case "tab" | "right" | "back_tab" | "left":
                self._move_on(-1 if key in {"back_tab", "left"} else 1)
            case _:
                self._scroll(key)
        return None

    def _type(self, key: str) -> None:
        match key:
            case "enter" | "tab":
                self.is_typing = False
            case "escape":
                self.is_typing = False
                self._clear()
            case "backspace":
                self.filter = self.filter[:-1]
            case "erase":
                self.filter = ""
            case _ if len(key) == 1 and len(self.filter) < FILTER_CELLS:
                self.filter += key
        self.offsets.clear()

    def _clear(self) -> None:
        self.filter = ""
        self.offsets.clear()

    def _move_on(self, step: int) -> None:
        at = self.panes.index(self.focus)
        self.focus = self.panes[(at + step) % len(self.panes)]

    def _scroll(self, key: str) -> None:
        offset = self.offsets.get(self.focus, 0)
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "page_up": -self.page}
        steps |= {"page_down": self.page, "home": -offset, "g": -offset, "end": END, "G": END}
        if key in steps:
            self.offsets[self.focus] = max(0, offset + steps[key])
        elif key.isdecimal() and 1 <= int(key) <= len(self.panes):
            self.focus = self.panes[int(key) - 1]


END = 1 << 30
"""Beyond all rows."""

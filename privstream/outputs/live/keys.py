"""What a terminal sends, as keys. Pure.

Cursor and page keys come as escape sequences, xterm's and the older ones of the console:
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html (2026-11-30).
"""

import re
from codecs import getincrementaldecoder

ESCAPE = "\x1b"
_NAMED = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "Z": "back_tab",
    "1~": "home",
    "4~": "end",
    "5~": "page_up",
    "6~": "page_down",
    "7~": "home",
    "8~": "end",
}
_PLAIN = {
    "\t": "tab",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\b": "backspace",
    "\x15": "erase",
    "\x0c": "redraw",
    "\x04": "end_of_input",
}
_SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?]*)([ -/]*[@-~])|O([ -~]))")
_BEGUN = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|O)?")


class Keys:
    """Takes bytes as they come, which may end within a sequence."""

    def __init__(self) -> None:
        self._rest = ""
        self._decoder = getincrementaldecoder("utf-8")("ignore")

    def take(self, typed: bytes) -> list[str]:
        """The keys: a name, or the character itself. Unknown sequences are nothing.

        Call it with nothing when nothing came: an escape with nothing behind it is the key.
        """
        text = self._rest + self._decoder.decode(typed)
        self._rest = ""
        keys: list[str] = []
        at = 0
        while at < len(text):
            if found := _SEQUENCE.match(text, at):
                keys += _named(found)
                at = found.end()
            elif typed and _BEGUN.fullmatch(text, at):
                self._rest = text[at:]
                break
            else:
                keys += _plain(text[at])
                at += 1
        return keys


def _named(sequence: re.Match[str]) -> list[str]:
    number, last, keypad = sequence.groups()
    plain = (number or "").partition(";")[0]  # behind it: shift, control
    name = _NAMED.get(keypad or (plain + last if last == "~" else last))
    return [name] if name else []


def _plain(character: str) -> list[str]:
    if character == ESCAPE:
        return ["escape"]
    if character in _PLAIN:
        return [_PLAIN[character]]
    return [character] if character.isprintable() else []

"""Tables of what an exchange's error codes and texts mean: whose fault, can a retry help.

The one rule: the first row that fits counts, and what no row knows is a refusal for good.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from privstream.model.errors import LoginRefused, PrivstreamError, Unreachable


class NonceRefused(LoginRefused):
    """The nonce is not above the last one that the exchange saw for this key."""


class Meaning(NamedTuple):
    """What a code or a text means, and what a person is told."""

    kind: type[PrivstreamError]
    says: str
    """Follows the exchange's name. `{doing}` is what was asked for, `{said}` what it answered."""
    hint: str | None = None
    floor: float = 0.0
    """Of a passing fault: the least wait in seconds."""
    cause: str | None = None
    """Of a passing fault: its word for the `gap` event."""


Fits: TypeAlias = Callable[[str, str], bool]
"""Whether a row is meant by a code and a text."""
Row: TypeAlias = tuple[Fits, Meaning]


def code(*codes: int | str) -> Fits:
    """The code is one of these."""
    known = frozenset(map(str, codes))
    return lambda code, _text: code in known


def begins(*beginnings: str) -> Fits:
    """The text begins so: a detail may follow."""
    return lambda _code, text: text.startswith(beginnings)


def holds(*parts: str) -> Fits:
    """One of these stands somewhere in the text, which may be written in capitals or not."""
    return lambda _code, text: any(part in text.lower() for part in parts)


class Refusals:
    """One exchange's table."""

    def __init__(self, title: str, rows: tuple[Row, ...], otherwise: Meaning) -> None:
        self._title = title
        self._rows = rows
        self._otherwise = otherwise

    def meaning(self, code: object, text: str) -> Meaning:
        """The first that fits."""
        word = "" if code is None else str(code)
        return next((meaning for fits, meaning in self._rows if fits(word, text)), self._otherwise)

    def error(
        self, text: str, doing: str, *, code: object = None, said: str | None = None
    ) -> PrivstreamError:
        """The error of a code and a text; `said` is how the message quotes them."""
        return self.made(self.meaning(code, text), doing, text if said is None else said)

    def made(self, meaning: Meaning, doing: str, said: str) -> PrivstreamError:
        """The error of a meaning."""
        message = f"{self._title} {meaning.says.format(doing=doing, said=said)}"
        if issubclass(meaning.kind, Unreachable):
            cause = meaning.cause or "disconnected"
            return meaning.kind(message, meaning.hint, floor=meaning.floor, cause=cause)
        return meaning.kind(message, meaning.hint)

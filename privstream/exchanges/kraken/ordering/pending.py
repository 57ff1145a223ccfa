"""Order calls that wait for their answer, to which Kraken may give no number.

The one rule: an answer without a number belongs to the request of its call that waits, where
that is certain: by the order it names, or because there is no other. Else nobody is answered,
and the orders are looked at.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from privstream.model.order_entry import Answered


class Pending:
    """What one connection has asked for."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[str, str]] = {}
        """By our number: the call, and the order that it names."""
        self._held: list[Answered] = []
        """Answers of which it is not certain whose they are."""

    def sent(self, request: int, call: str, order: str = "") -> None:
        self._waiting[request] = call, order

    def awaits(self, call: str | None, number: int | None = None, first: int = 0) -> bool:
        """Whether a request of this call waits (`None`: of any), or the one of this number."""
        if number is not None:
            return number - first in self._waiting
        return bool(self._of(call))

    def numbered(self, answered: Answered) -> Answered:
        """An answer that says whose it is."""
        self._waiting.pop(answered.request, None)
        return answered

    def unnumbered(self, call: str | None, answered: Answered) -> Iterator[Answered]:
        """An answer that says at most which call it is about, and what it settles with others."""
        named = [n for n in self._of(call) if self._waiting[n][1] in answered.order_ids]
        if named:
            yield self.numbered(replace(answered, request=named[0]))
        else:
            self._held.append(answered)
        waiting = self._of(call)
        if len(waiting) == len(self._held) and len({_word(held) for held in self._held}) == 1:
            held, self._held = self._held, []
            for number, one in zip(waiting, held, strict=True):
                yield self.numbered(replace(one, request=number))

    def _of(self, call: str | None) -> list[int]:
        return [number for number, (name, _) in self._waiting.items() if call in {name, None}]


def _word(answered: Answered) -> str | None:
    return None if answered.error is None else answered.error.message


def count_of(value: object) -> int | None:
    """How many orders a cancel of all ended, where the answer counts them."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None

"""Frames of a life, each followed by itself with one value that is odd, and numbered anew."""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from privstream.model.exact import Malformed, Number, decode, encode

ZERO = "0.00000000"
TOO_LONG = b"9" * 5000
"""A number that nobody reads, and whoever skips it does not mind."""
A_WHILE = 60_000
"""Milliseconds: what was just now is so no more."""
ODD: tuple[Any, ...] = (
    *(0, "0", "0.000", Number("-1.50"), "-1.50", -3, 7, "25.00"),
    *(Number("25.00"), Number("1.5e-7"), "1e-7", 10**25, None, "", " ", "-", True, [], {}),
    *("a word nobody knows", "2026-11-20T11:32:00Z", "pct", 1_790_000_000_000, "buy", "SELL"),
)
VALUE = re.compile(
    rb'("[A-Za-z_]*(?:[tT]ype|[sS]tatus|state)":"[^"]*"|"[a-z]{2}"|"[^"]*":)|"[^"]*"|-?\d[\d.eE+-]*'
)
"""Behind the first group, which says what a frame is about: keys, kinds, states, Bitfinex's words."""
NUMBERED = re.compile(
    rb'("sequence":|"offset":)(\d+)|(\](?:,|(?<="hb"\],)))(\d+)(?=,\d+,\d{13}\]$)'
)
_is_amount = re.compile(r"-?[0-9]+\.?[0-9]*").fullmatch
CHANNELS = (b'"executions"', b'"balances"', b"openOrders", b"ownTrades")


LONGEST = 1500
"""Bytes of a frame that is told oddly: lists of what stands are longer."""


class OddFrames:
    """A life told with odd frames between."""

    def __init__(
        self, texts: Sequence[bytes], random: Random, *, shapes: int = 10**6, values: int = len(ODD)
    ) -> None:
        """So many kinds of frames get a zero and so many odd values in each of their places."""
        self._texts = texts
        self._random = random
        self._most = shapes
        self._values = values
        self._shapes: set[bytes] = set()
        self._last: dict[bytes, int] = {}

    def __iter__(self) -> Iterator[bytes]:
        for text in self._texts:
            yield self._numbered(text)
            shape = VALUE.sub(rb"\1", text)
            is_new = shape not in self._shapes and len(self._shapes) < self._most
            if is_new and len(text) < LONGEST:
                self._shapes.add(shape)
                yield from map(self._numbered, self._variants(text))

    def _variants(self, text: bytes) -> Iterator[bytes]:
        """The frame with one value changed or gone, or one key more."""
        try:
            places = list(_paths(decode(text)))
        except Malformed:
            return
        for path in places:
            *before, key = path
            odd = [*_akin(_at(decode(text), path)), *self._random.sample(ODD, self._values)]
            for edit in (*((True, value) for value in odd), (False, None)):
                message = deepcopy(decode(text))
                at = _at(message, before)
                if edit[0]:
                    at[key] = edit[1]
                else:
                    del at[key]
                yield encode(message)
            if isinstance(key, str):
                name = b'"%s":' % key.encode()
                for unheard in (b"1", TOO_LONG):
                    yield text.replace(name, b'"unheard":%s,%s' % (unheard, name), 1)

    def _numbered(self, text: bytes) -> bytes:
        """As the next frame of its channel, where it has a number."""
        found = NUMBERED.search(text)
        if found is None:
            return text
        channel = next((name for name in CHANNELS if name in text), b"")
        number = found[2] or found[4]
        at = found.start(2) if found[2] else found.start(4)
        self._last[channel] = self._last.get(channel, int(number) - 1) + 1
        return text[:at] + b"%d" % self._last[channel] + text[at + len(number) :]


def _at(value: Any, path: Sequence[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


def _akin(value: Any) -> Iterator[Any]:
    """What is odd though it is of the same kind: a zero of many digits, another time, a longer list."""
    match value:
        case Number():
            yield Number(ZERO)
        case str() if _is_amount(value):
            yield ZERO
        case int() if type(value) is int:
            yield from (value - A_WHILE, value + A_WHILE)
        case list():
            yield from ([*value, 1], [*value, Number(TOO_LONG.decode())])


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner if isinstance(value, dict | list) else ():
        yield (*before, key)
        if isinstance(item, dict | list) and item:
            yield from _paths(item, (*before, key))

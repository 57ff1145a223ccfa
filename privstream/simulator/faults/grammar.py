"""How faults are written: KIND[=ARGUMENT[:ARGUMENT]]@WHEN, as in `close=1012:restart@every=30s`.

The one rule: what is printed of a fault can be typed again.
"""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from privstream.model.errors import UsageError

Kind: TypeAlias = Literal[
    "drop",
    "reset",
    "stall",
    "mute",
    "duplicate",
    "reorder",
    "lose",
    "expire",
    "refuse",
    "maintenance",
    "close",
    "http",
    "drip",
    "huge",
    "junk",
    "swallow",
]
Unit: TypeAlias = Literal["after", "every", "n", "connect", "now"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ALSO_CALLED = {"gap": "lose"}
SHAPE_HINT = (
    "KIND[=ARGUMENT]@WHEN, like drop@10s, close=1012@every=30s, lose@n=100, http=503@connect=2"
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
_COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)


class When(Struct, frozen=True):
    """So many seconds after the start, every so many, at the nth account frame or connection."""

    unit: Unit
    value: float = 0.0

    def __str__(self) -> str:
        if self.unit == "now":
            return "now"
        spelled = f"{self.value:.15g}" + ("s" if self.unit in {"after", "every"} else "")
        return spelled if self.unit == "after" else f"{self.unit}={spelled}"


NOW = When("now")


class Takes(Struct, frozen=True):
    """What a kind of fault may be told; `count` and `seconds` are what it is without."""

    words: frozenset[str] = frozenset()
    count: int | None = None
    least: int = 1
    most: int = 999_999_999
    seconds: float | None = None
    """Infinite where it lasts as long as the connection, 0.0 where it is over at once."""


FOREVER = float("inf")
LONGEST_REASON = 123  # RFC 6455: the code and it fill a control frame
TAKES: Mapping[Kind, Takes] = {
    "drop": Takes(words=frozenset({"half"})),
    "reset": Takes(words=frozenset({"half"})),
    "stall": Takes(seconds=FOREVER),
    "mute": Takes(words=frozenset({"all"}), seconds=FOREVER),
    "duplicate": Takes(count=2, least=2, most=9, seconds=0.0),
    "reorder": Takes(count=3, least=2, most=99),
    "lose": Takes(count=1),
    "expire": Takes(),
    "refuse": Takes(words=frozenset({"key", "nonce"}), seconds=FOREVER),
    "maintenance": Takes(seconds=30.0),
    "close": Takes(count=0, least=1000, most=4999),
    "http": Takes(count=0, least=400, most=599, seconds=10.0),
    "drip": Takes(seconds=5.0),
    "huge": Takes(count=0),
    "junk": Takes(count=1, most=10_000),
    "swallow": Takes(words=frozenset({"cut"}), count=1, most=10_000),
}
NEEDS_NUMBER: frozenset[Kind] = frozenset({"close", "http"})


class Fault(Struct, frozen=True):
    """One thing that is to go wrong. `text` is the reason of a close."""

    kind: Kind
    when: When = NOW
    word: str = ""
    count: int = 0
    seconds: float = 0.0
    text: str = ""

    def __str__(self) -> str:
        """As it was typed, or could have been."""
        takes, parts = TAKES[self.kind], [self.word] if self.word else []
        if self.count and self.count != takes.count:
            parts.append(str(self.count))
        if self.text:
            parts.append(self.text)
        if takes.seconds is not None and self.seconds != takes.seconds:
            parts.append(f"{self.seconds:.15g}s")
        told = f"={':'.join(parts)}" if parts else ""
        return f"{self.kind}{told}" + ("" if self.when == NOW else f"@{self.when}")


def parse(text: str) -> Fault:
    """A fault with its moment. Raises UsageError."""
    what, at, moment = text.rpartition("@")
    if not at:
        raise _wrong(text, "it does not say when")
    return _parse_what(what, _when(moment, text), text)


def parse_now(text: str) -> Fault:
    """A fault without a moment, for now. Raises UsageError."""
    return _parse_what(text, NOW, text)


def _parse_what(what: str, when: When, text: str) -> Fault:
    name, _, told = what.partition("=")
    name = ALSO_CALLED.get(name, name)
    if name not in KINDS:
        raise _wrong(text, f"there is no {name!r}", f"there are {', '.join(KINDS)}")
    kind = name
    takes = TAKES[kind]
    fault: dict[str, object] = {"count": takes.count or 0, "seconds": takes.seconds or 0.0}
    parts = told.split(":", 1 if kind == "close" else -1) if told else []
    given: set[str] = set()
    for part in parts:
        field, value = _argument(kind, part, given)
        if field in given:
            raise _wrong(text, f"{part!r} is no argument of {kind}")
        given.add(field)
        fault[field] = value
    if kind in NEEDS_NUMBER and "count" not in given:
        raise _wrong(text, f"{kind} needs a number")
    if kind == "refuse" and "word" not in given:
        fault["word"] = "key"
    return Fault(kind, when, **fault)  # type: ignore[arg-type]  # each field by its own reader


def _argument(kind: Kind, part: str, given: set[str]) -> tuple[str, object]:
    """Which field an argument is for; "" for none."""
    takes = TAKES[kind]
    if kind == "close" and "count" in given:
        if len(part.encode()) > LONGEST_REASON:
            raise _wrong(part, f"a reason has {LONGEST_REASON} bytes at most")
        return "text", part
    if part in takes.words:
        return "word", part
    if takes.count is not None and "count" not in given and _COUNT.fullmatch(part):
        if takes.least <= int(part) <= takes.most:
            return "count", int(part)
        raise _wrong(part, f"{kind} takes {takes.least} to {takes.most}")
    seconds = _seconds(part)
    if takes.seconds is not None and seconds is not None:
        return "seconds", seconds
    raise _wrong(part, f"it is no argument of {kind}")


def _when(text: str, whole: str) -> When:
    name, equals, value = text.rpartition("=")
    if name in {"n", "connect"} and _COUNT.fullmatch(value):
        return When("n" if name == "n" else "connect", float(value))
    seconds = _seconds(value)
    if seconds is None or (name != "every" if equals else name):
        raise _wrong(whole, f"{text!r} is no moment")
    if not equals:
        return When("after", seconds)
    if not seconds:
        raise _wrong(whole, f"{text!r} never ends")
    return When("every", seconds)


def _seconds(text: str) -> float | None:
    match = _DURATION.fullmatch(text)
    return None if match is None else float(match[1]) * _UNITS[match[2]]


def _wrong(text: str, why: str, hint: str = SHAPE_HINT) -> UsageError:
    return UsageError(f"the fault {text!r} cannot be read: {why}", hint)

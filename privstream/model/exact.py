"""JSON in and out without losing a digit, and amounts as plain decimal text.

The one rule: an amount is never a float. A JSON number that is no integer is
decoded to a `Number`, which is its text and knows that it stood without quotes.
"""

import re
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

import msgspec


class Number(str):
    """The text of a JSON number as it stood in the frame, like `25.00` or `1e-8`."""

    __slots__ = ()


class Unreadable(ValueError):
    """A value that is not what it should be; the text goes on after "cannot read …:".

    With the `value` itself, whoever has its element can say where it stands.
    """

    def __init__(self, text: str, value: object = None) -> None:
        super().__init__(text)
        self.value = value


def kind_of(value: object) -> str:
    """What a decoded JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number() | int():
            return "a number"
        case str():
            return "text" if value.strip() else "an empty text"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"


class Malformed(ValueError):
    """The text is no JSON; the message says why, without the text."""


_decoder = msgspec.json.Decoder(float_hook=Number)


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON number")


# Lone surrogates are legal JSON escapes that msgspec refuses; the standard decoder takes them.
_tolerant = JSONDecoder(parse_float=Number, parse_constant=_refuse_constant)


def decode(text: str | bytes) -> Any:
    """Decode JSON; numbers keep their text. Raises Malformed, never anything else."""
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    except msgspec.DecodeError:
        return _decode_tolerantly(text)


def _decode_tolerantly(text: str | bytes) -> Any:
    try:
        value = _tolerant.decode(text if isinstance(text, str) else text.decode())
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    except JSONDecodeError as problem:
        raise Malformed(f"not JSON: {problem.msg} at character {problem.pos}") from None
    except Malformed:
        raise
    except ValueError:  # an integer of more digits than Python converts
        raise Malformed("a number of more digits than can be read") from None
    return _without_surrogates(value)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _verbatim(value: object) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.encode())
    raise TypeError(f"no JSON for {type(value).__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_verbatim)
encode_lines = _encoder.encode_lines
"""Encode each of a list to JSON, one a line."""


def encode(value: object) -> bytes:
    """Encode to JSON; a Number is written as the text it was read from."""
    return _encoder.encode(value)


class Part(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A part of a frame that is decoded only by who needs it; equal to what it holds."""

    frame: bytes
    path: tuple[str | int, ...]
    """The keys and positions that lead to it."""

    def value(self) -> Any:
        """The part, decoded."""
        found = decode(self.frame)
        for key in self.path:
            found = found[key]
        return found

    def __eq__(self, other: object) -> bool:
        return bool(self.value() == (other.value() if isinstance(other, Part) else other))

    __hash__ = None  # type: ignore[assignment]  # what it holds may be changed


def encode_element(element: object) -> bytes:
    """Encode an element of a frame, decoded or not."""
    return encode(element.value() if type(element) is Part else element)


LAST_OF_BASIC_PLANE = 0xFFFF
_NOT_PRINTABLE_ASCII = re.compile(r"[^\x20-\x7e]")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= LAST_OF_BASIC_PLANE:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def ascii_line(line: bytes) -> bytes:
    """The same JSON with all but printable ASCII escaped, so that no terminal obeys it."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return _NOT_PRINTABLE_ASCII.sub(_escape, line.decode()).encode()


# --- amounts ---------------------------------------------------------------------------

_is_plain = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ENDS = frozenset({"", "0", ".", "-"})
MAX_EXPONENT = 400  # beyond this a number is hostile, not an amount
EXACT = Context(prec=2 * MAX_EXPONENT + 100)  # no sum of two amounts is ever rounded
_difference = EXACT.subtract


def amount(value: Any) -> str | None:
    """Plain decimal text of an amount, digits kept; `None` for null, "" and absent.

    A real zero is "0". Raises Unreadable for what is no decimal number.
    """
    kind = type(value)  # asked once: nearly all amounts are plain texts or numbers
    if kind is Number:  # JSON has seen to it that it is one
        text = str(value)
        if "e" in text or "E" in text:
            text = _written_out(text)
    elif kind is str and _is_plain(value):
        text = value
    elif value is None or value == "":
        return None
    else:
        text = _checked(value)
    if text[0] in "-0" and not text.strip("-0."):
        return "0"
    return text


def _checked(value: object) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Unreadable(f"it is {kind_of(value)}, not an amount", value)
    text = str(value)
    return text if _is_plain(text) else _written_out(text)


def _written_out(text: str) -> str:
    if not _DECIMAL.fullmatch(text.strip()):  # Decimal would take 1_000 and foreign digits too
        raise Unreadable("it is text, not an amount", text)
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of more digits than it takes
        raise Unreadable("it is no amount of a sane size", text) from None
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise Unreadable("it is no amount of a sane size", text)
    return format(number, "f")


def nonzero(value: object) -> str | None:
    """The amount, or `None` where a zero only means that there is none."""
    text = amount(value)
    return None if text == "0" else text


def unsigned(text: str | None) -> str | None:
    """The amount without its sign."""
    return text[1:] if text is not None and text[0] == "-" else text


decimal_of = lru_cache(maxsize=1024)(Decimal)
"""The value of an amount; the same texts are compared, added and subtracted several times."""


def normal(text: str | None) -> str:
    """One spelling per value, to compare amounts: "0.500" and "0.5" are both "0.5"."""
    if text is None:
        return ""
    if text[-1:] not in _ENDS:  # mostly there is nothing to take off
        return text
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-", "-0"} else text


def subtract(left: str, right: str) -> str:
    """`left - right`, exactly, in plain notation."""
    if right == "0":
        return left
    return plain(_difference(decimal_of(left), decimal_of(right)))


def add(left: str, right: str) -> str:
    """`left + right`, exactly, in plain notation."""
    return plain(EXACT.add(decimal_of(left), decimal_of(right)))


def plain(value: Decimal) -> str:
    """A sum in plain notation."""
    if not value:
        return "0"
    text = str(value)  # mostly plain by itself, in half the time
    return format(value, "f") if "E" in text else text


def is_near(left: str, right: str, digits: int | None) -> bool:
    """The same amount, where one of them is rounded to so many decimals; `None`: neither is."""
    if digits is None:
        return normal(left) == normal(right)
    apart = EXACT.subtract(decimal_of(left), decimal_of(right))
    return apart.copy_abs() < Decimal(1).scaleb(-digits)

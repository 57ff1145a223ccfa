"""Amounts as people type them, read exactly: nothing is rounded, nothing is guessed.

The one rule: what comes out is the number that was typed, with its digits, or an error.
"""

import re
from decimal import Decimal

from privstream.model.errors import UsageError

LARGEST_EXPONENT = 30
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_PRICE = re.compile(rf"((?:last)?[+\-#]?)({_NUMBER.pattern})(%?)", re.ASCII)
HINT = "write it like 0.25 or 1e-3, with a point and without signs or separators"


def quantity(text: str, option: str) -> str:
    """Plain decimal text of an amount above zero. Raises UsageError."""
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{option} {text!r} is no amount", HINT)
    return _above_zero(text, text, option)


def price(text: str, option: str) -> str:
    """Plain decimal text of a price above zero, or of an offset: `+5`, `-1%`, `#2`, `last-5`."""
    match = _PRICE.fullmatch(text)
    if match is None:
        raise UsageError(f"{option} {text!r} is no price", HINT.replace(" signs or", ""))
    sign, digits, percent = match.groups()
    if sign or percent:  # an offset of nothing is one all the same
        return f"{sign}{_plain(digits, text, option)}{percent}"
    return _above_zero(digits, text, option)


def value(quantity: str, price: str) -> str:
    """Their product, exactly, without the zeros that say nothing."""
    from privstream.model.exact import EXACT, normal  # noqa: PLC0415 - start-up time

    return normal(format(EXACT.multiply(Decimal(quantity), Decimal(price)), "f"))


def _above_zero(digits: str, text: str, option: str) -> str:
    plain = _plain(digits, text, option)
    if Decimal(plain) == 0:
        raise UsageError(f"{option} must be more than 0")
    return plain


def _plain(digits: str, text: str, option: str) -> str:
    if "e" not in digits.lower():
        return digits
    number = Decimal(digits)
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise UsageError(f"{option} {text!r} is no amount of any market")
    return format(number, "f")

"""What Bitfinex's error codes mean: whose fault, and whether a retry can help.

The same codes come on the socket and over REST, where HTTP 500 says nothing by itself.
Source: protocols/bitfinex.md sections 3.2 and 6 (checked 2026-11-20).
"""

from collections.abc import Callable

from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.http_errors import excerpt

RATE_LIMIT = 30.0  # an address is blocked for 10 to 60 s (sheet section 6)
BUSY = 5.0

NONCE, RATE, NOT_READY, MAINTENANCE = 10114, 11010, 11000, 20060


class NonceRefused(LoginRefused):
    """The nonce is not above the last one that Bitfinex saw for this key."""


def error_for(code: int | None, text: str, doing: str) -> PrivstreamError:
    """The error of a code and its text; `doing` names what was asked for, in our words."""
    said = excerpt(f"{code}: {text}" if code is not None else text)
    make = _by_text(text) or _BY_CODE.get(code or 0, _refused)
    return make(said, doing)


def code_of(value: object) -> int | None:
    """A code, as a number or as its text."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < len("1000000") else None


def _by_text(text: str) -> "Meaning | None":
    """What the text says where one code has several meanings, or none is given."""
    lowered = text.lower()
    return next((make for part, make in _TEXTS if part in lowered), None)


def _refused(said: str, doing: str) -> PrivstreamError:
    return Refused(f"Bitfinex refused {doing} ({said})")


def _login(said: str, doing: str) -> PrivstreamError:
    message = f"Bitfinex does not know this API key, asked for {doing} ({said})"
    return LoginRefused(message, "check api_key and api_secret, or make a new key")


def _signature(said: str, doing: str) -> PrivstreamError:
    message = f"Bitfinex refuses the signature of {doing}: wrong API secret ({said})"
    return LoginRefused(message, "check api_secret; copy it again, whole")


def _nonce(said: str, doing: str) -> PrivstreamError:
    hint = (
        "another program uses this key with larger nonces: make a key for privstream alone, "
        "and see that the clock is right"
    )
    return NonceRefused(f"Bitfinex refuses the nonce of {doing} ({said})", hint)


def _permission(said: str, doing: str) -> PrivstreamError:
    hint = "let the key read orders, wallets, positions and the account's history"
    return PermissionMissing(f"Bitfinex does not let this key use {doing} ({said})", hint)


def _rate_limit(said: str, doing: str) -> PrivstreamError:
    message = f"Bitfinex asks for fewer calls than {doing} ({said})"
    return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")


def _busy(said: str, doing: str) -> PrivstreamError:
    message = f"Bitfinex is not ready, asked for {doing} ({said})"
    return Unavailable(message, floor=BUSY, cause="unavailable")


def _maintenance(said: str, doing: str) -> PrivstreamError:
    message = f"Bitfinex is in maintenance, asked for {doing} ({said})"
    return Unavailable(message, floor=BUSY, cause="maintenance")


Meaning = Callable[[str, str], PrivstreamError]
_TEXTS: tuple[tuple[str, Meaning], ...] = (
    ("nonce", _nonce),
    ("digest", _signature),
    ("permission", _permission),
    ("ratelimit", _rate_limit),
    ("rate_limit", _rate_limit),
    ("temporarily_unavailable", _busy),
)
_BY_CODE: dict[int, Meaning] = {
    503: _busy,
    10000: _busy,
    10008: _busy,
    10100: _login,
    10111: _signature,
    10112: _signature,
    10113: _signature,
    NONCE: _nonce,
    NOT_READY: _busy,
    RATE: _rate_limit,
    MAINTENANCE: _maintenance,
}

"""What Bitfinex's error codes mean: whose fault, and whether a retry can help.

The same codes come on the socket and over REST, where HTTP 500 says nothing by itself.
Source: docs.bitfinex.com/docs/abbreviations-glossary and /docs/ws-general, issue threads of
the official libraries for the texts (checked 2026-11-30).
"""

from privstream.exchanges.kit.refusals import Meaning, NonceRefused, Refusals, code, holds
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.http_errors import excerpt

RATE_LIMIT = 30.0  # an address is blocked for 10 to 60 s
BUSY = 5.0

_LOGIN = Meaning(
    LoginRefused,
    "does not know this API key, asked for {doing} ({said})",
    "check api_key and api_secret, or make a new key",
)
_SIGNATURE = Meaning(
    LoginRefused,
    "refuses the signature of {doing}: wrong API secret ({said})",
    "check api_secret; copy it again, whole",
)
_NONCE = Meaning(
    NonceRefused,
    "refuses the nonce of {doing} ({said})",
    "another program uses this key with larger nonces: make a key for privstream alone, "
    "and see that the clock is right",
)
_PERMISSION = Meaning(
    PermissionMissing,
    "does not let this key use {doing} ({said})",
    "let the key read orders, wallets, positions and the account's history",
)
_RATE_LIMIT = Meaning(
    RateLimited,
    "asks for fewer calls than {doing} ({said})",
    floor=RATE_LIMIT,
    cause="rate_limit",
)
_BUSY = Meaning(
    Unavailable, "is not ready, asked for {doing} ({said})", floor=BUSY, cause="unavailable"
)
_MAINTENANCE = Meaning(
    Unavailable, "is in maintenance, asked for {doing} ({said})", floor=BUSY, cause="maintenance"
)
# One code has several meanings, and some answers have none: so the texts come first.
TABLE = Refusals(
    "Bitfinex",
    (
        (holds("nonce"), _NONCE),
        (holds("digest"), _SIGNATURE),
        (holds("permission"), _PERMISSION),
        (holds("ratelimit", "rate_limit"), _RATE_LIMIT),
        (holds("temporarily_unavailable"), _BUSY),
        (code(10100), _LOGIN),
        (code(10111, 10112, 10113), _SIGNATURE),
        (code(10114), _NONCE),
        (code(11010), _RATE_LIMIT),
        (code(20060), _MAINTENANCE),
        (code(503, 10000, 10008, 11000), _BUSY),
    ),
    otherwise=Meaning(Refused, "refused {doing} ({said})"),
)


def error_for(code: int | None, text: str, doing: str) -> PrivstreamError:
    """The error of a code and its text; `doing` names what was asked for, in our words."""
    said = excerpt(f"{code}: {text}" if code is not None else text)
    return TABLE.error(text, doing, code=code, said=said)


def code_of(value: object) -> int | None:
    """A code, as a number or as its text."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < len("1000000") else None

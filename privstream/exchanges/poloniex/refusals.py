"""What Poloniex's complaints mean: whose fault, and whether a retry can help.

On the socket they are bare texts without a code or a channel, over REST a code and a
text. Source: https://api-docs.poloniex.com/spot/error-code, checked 2026-11-30.
"""

from typing import Any

from privstream.exchanges.kit import complaints
from privstream.exchanges.kit.refusals import Meaning, Refusals, code, holds
from privstream.model.errors import (
    Interrupted,
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.http_errors import excerpt

BUSY = 5.0
RATE_LIMIT = 15.0
CODE_DIGITS = 9
CHECK_KEY = (
    "check api_key and api_secret, whether the key may be used from this address, and that "
    "this machine's clock is right: the signature is dated"
)
SET_CLOCK = "set this machine's clock: Poloniex refuses what was signed 5 minutes ago"
REFUSES = "refuses {doing}: {said}"


class OrderUnknown(Refused):
    """Poloniex knows no order of this id."""


_LOGIN = Meaning(LoginRefused, REFUSES, CHECK_KEY)
_PASSING = Meaning(Unavailable, REFUSES, floor=BUSY, cause="unavailable")
_SAYS = "says: {said}"
PASSING_TEXTS = (
    "system error",
    "service busy",
    "internal error",
    "internal accounts error",
    "internal server error",
)
"""Of the codes below that are passing faults, as they may come on the socket without a code."""

SOCKET = Refusals(
    "Poloniex",
    (
        (holds("maintenance"), Meaning(Unavailable, _SAYS, floor=BUSY, cause="maintenance")),
        (
            holds("must be authenticated"),
            Meaning(Interrupted, "lost our login: {said}", floor=BUSY, cause="login_lost"),
        ),
        (
            holds("too many", "rate limit", "limit exceeded"),
            Meaning(RateLimited, "asks for less: {said}", floor=RATE_LIMIT, cause="rate_limit"),
        ),
        (holds(*PASSING_TEXTS), Meaning(Unavailable, _SAYS, floor=BUSY, cause="unavailable")),
    ),
    Meaning(
        Refused,
        REFUSES,
        "if it looks like a passing fault, start again; else report it to privstream",
    ),
)
_FAULT = Meaning(Interrupted, _SAYS, floor=BUSY, cause="exchange_error")

REST = Refusals(
    "Poloniex",
    (
        (holds("signature has expired"), Meaning(LoginRefused, REFUSES, SET_CLOCK)),
        (code(21301), Meaning(OrderUnknown, REFUSES)),
        (code(21340), Meaning(Unavailable, REFUSES, floor=BUSY, cause="maintenance")),
        # System Error, internal error, service busy: whatever HTTP status they come with.
        (code(415, 500, 603, 21707, 24201, 250000), _PASSING),
        # HTTP's own numbers, which also come as codes.
        (code(401, "HTTP 401"), _LOGIN),
        (
            code(403, "HTTP 403"),
            Meaning(PermissionMissing, REFUSES, "give the key the right to read"),
        ),
        (code(408, "HTTP 408"), _PASSING),  # "recvWindow exceeded": it was too long on its way
        (
            code(429, "HTTP 429"),
            Meaning(RateLimited, REFUSES, floor=RATE_LIMIT, cause="rate_limit"),
        ),
    ),
    Meaning(Refused, REFUSES),
)


def login_refused(text: str) -> PrivstreamError:
    """The answer to the login is anything but success; only a passing fault is tried again."""
    problem = complaint(text or "no reason given", "the login")
    if problem.retryable:
        return problem
    hint = SET_CLOCK if "expired" in text.lower() else CHECK_KEY
    return LoginRefused(problem.message, hint)


def complaint(text: str, doing: str | None) -> PrivstreamError:
    """An error text on the socket; `doing` is what waits for an answer, if anything does."""
    said = excerpt(text)
    meaning = SOCKET.meaning(None, text)
    if doing is None and meaning.kind is Refused:  # nothing was asked for that it could refuse
        meaning = _FAULT
    return SOCKET.made(meaning, doing or "", said)


def complaint_of(answer: object) -> tuple[int, str]:
    """Code and text of an error body, (0, "") of any other.

    The text is `message` where the documents show one, elsewhere `msg`; an order has an id.
    """
    if not isinstance(answer, dict) or "id" in answer:
        return 0, ""
    number = str(answer.get("code", ""))
    found = int(number) if number.isdecimal() and len(number) <= CODE_DIGITS else 0
    return found, words_of(answer)


def words_of(answer: dict[str, Any]) -> str:
    """What an error says in words, on the socket and over REST; "" where it says nothing."""
    return complaints.words_of(answer, ("message", "msg", *complaints.KEYS))


def error_for(number: int, text: str, status: int, doing: str) -> PrivstreamError:
    """The error of a REST answer: its own code first, then its HTTP status."""
    said = f"{excerpt(text)} ({number or f'HTTP {status}'})"
    meaning = REST.meaning(number, text)
    if meaning.kind is Refused:
        meaning = REST.meaning(f"HTTP {status}", text)
    return REST.made(meaning, doing, said)

"""What Poloniex's complaints mean: whose fault, and whether a retry can help.

On the socket they are bare texts without a code or a channel, over REST a code and a
text. Source: protocols/poloniex.md sections 2, 3 and 6 (checked 2026-11-20).
"""

from collections.abc import Callable
from typing import Any

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

PASSING_TEXTS = ("system error", "service busy", "internal error", "internal server error")
"""Of the codes below that are passing faults, as they may come on the socket without a code."""

CHECK_KEY = (
    "check api_key and api_secret, whether the key may be used from this address, and that "
    "this machine's clock is right: the signature is dated"
)
SET_CLOCK = "set this machine's clock: Poloniex refuses what was signed 5 minutes ago"


class OrderUnknown(Refused):
    """Poloniex knows no order of this id."""


def login_refused(text: str) -> PrivstreamError:
    """The answer to the login is anything but success; only a passing fault is tried again."""
    problem = complaint(text or "no reason given", "the login")
    return problem if problem.retryable else _login(problem.message)


def complaint(text: str, doing: str | None) -> PrivstreamError:
    """An error text on the socket; `doing` is what waits for an answer, if anything does."""
    said, lower = excerpt(text), text.lower()
    if "maintenance" in lower:
        return Unavailable(f"Poloniex says: {said}", floor=BUSY, cause="maintenance")
    if "must be authenticated" in lower:
        return Interrupted(f"Poloniex lost our login: {said}", floor=BUSY, cause="login_lost")
    if any(word in lower for word in ("too many", "rate limit", "limit exceeded")):
        message = f"Poloniex asks for less: {said}"
        return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")
    if any(word in lower for word in PASSING_TEXTS):
        return Unavailable(f"Poloniex says: {said}", floor=BUSY, cause="unavailable")
    if doing is None:
        return Interrupted(f"Poloniex says: {said}", floor=BUSY, cause="exchange_error")
    return Refused(
        f"Poloniex refuses {doing}: {said}",
        "if it looks like a passing fault, start again; else report it to privstream",
    )


def complaint_of(answer: object) -> tuple[int, str]:
    """Code and text of an error body, (0, "") of any other.

    The text is `message` where the documents show one, elsewhere `msg`; an order has an id.
    """
    if not isinstance(answer, dict) or "id" in answer:
        return 0, ""
    number = str(answer.get("code", ""))
    code = int(number) if number.isdecimal() and len(number) <= CODE_DIGITS else 0
    return code, words_of(answer)


def words_of(answer: dict[str, Any]) -> str:
    """What an error says in words, on the socket and over REST; "" where it says nothing."""
    return str(answer.get("message") or answer.get("msg") or "")


def error_for(code: int, text: str, status: int, doing: str) -> PrivstreamError:
    """The error of a REST answer: its own code first, then its HTTP status."""
    said = f"Poloniex refuses {doing}: {excerpt(text)} ({code or f'HTTP {status}'})"
    make = _BY_CODE.get(code) or _BY_STATUS.get(code) or _BY_STATUS.get(status)
    if make is not None:
        return make(said)
    return _login(said) if _is_expired(text) else Refused(said)


def _login(said: str) -> PrivstreamError:
    return LoginRefused(said, SET_CLOCK if _is_expired(said) else CHECK_KEY)


def _is_expired(text: str) -> bool:
    """REST's words are "Signature has expired": the clock is wrong, not the key."""
    return "expired" in text.lower()


def _permission(said: str) -> PrivstreamError:
    return PermissionMissing(said, "give the key the right to read")


def _rate_limit(said: str) -> PrivstreamError:
    return RateLimited(said, floor=RATE_LIMIT, cause="rate_limit")


def _busy(said: str) -> PrivstreamError:
    return Unavailable(said, floor=BUSY, cause="unavailable")


def _maintenance(said: str) -> PrivstreamError:
    return Unavailable(said, floor=BUSY, cause="maintenance")


# What may be over in a moment, whatever HTTP status it comes with:
# https://api-docs.poloniex.com/spot/error-code, checked 2026-11-30.
_BY_CODE: dict[int, Callable[[str], PrivstreamError]] = {
    21301: OrderUnknown,
    21340: _maintenance,
    415: _busy,  # "System Error"
    500: _busy,
    603: _busy,  # "Internal Server Error"
    21707: _busy,  # "Internal accounts error"
    24201: _busy,  # "Service busy"
    250000: _busy,  # "Internal error"
}
_BY_STATUS: dict[int, Callable[[str], PrivstreamError]] = {
    # HTTP's own numbers, which also come as codes.
    401: _login,
    403: _permission,
    408: _busy,  # "recvWindow exceeded": it was too long on its way
    429: _rate_limit,
}

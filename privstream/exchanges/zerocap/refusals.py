"""What Zerocap's error codes and texts mean: whose fault, and whether a retry can help.

The same ones come as HTTP answers and as frames; a code is a number or a text, by
dialect. Source: the pages of https://pypi.org/project/zerocap-api/ and
https://docs.zerocap.com, checked 2026-11-30.
"""

from privstream.exchanges.kit.refusals import Fits, Meaning, Refusals, code, holds
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.http_errors import OUTAGE_FLOOR, RETRY_AFTER_DEFAULT, excerpt

CLOCK = "set this computer's clock: Zerocap takes signatures that are at most 30 s old"
CLOCK_LIMIT = 30.0
"""Seconds that a signature may be off; beyond, it is refused with 408."""
WHOLE_SECONDS = 2.0
"""Both clocks are told in whole seconds: so much less off is off enough."""
LOGIN_TEXTS = ("unauthorized", "encryption check", "invalid timestamp")
"""Mean the login whatever code they come with."""
TIMED_OUT = "408"


def _begins(*digits: str) -> Fits:
    return lambda number, _text: number.startswith(digits)


def _login(*parts: str) -> Fits:
    """A 401, or a text that means one, with one of these in it."""
    has_part, means_login = holds(*parts), holds(*LOGIN_TEXTS)
    return lambda number, text: (
        (number == "401" or means_login(number, text)) and (has_part(number, text))
    )


REFUSALS = Refusals(
    "Zerocap",
    (
        (
            _login("ip address"),
            Meaning(
                PermissionMissing,
                "does not let this key in from this computer's address, asked for {doing} ({said})",
                "add this computer's IP address to those that the key allows",
            ),
        ),
        (
            _login("timestamp"),
            Meaning(
                LoginRefused,
                "does not take this computer's time, asked for {doing} ({said})",
                CLOCK,
            ),
        ),
        (
            _login("encryption check"),
            Meaning(
                LoginRefused,
                "refuses the signature: the API secret is not that of the key, "
                "asked for {doing} ({said})",
                "check api_secret; copy it again, whole",
            ),
        ),
        (
            _login(""),
            Meaning(
                LoginRefused,
                "refuses the API key or its signature, asked for {doing} ({said})",
                "check api_key and api_secret, and that they are of this environment",
            ),
        ),
        (
            code(403),
            Meaning(
                PermissionMissing,
                "does not let this key use {doing} ({said})",
                "give the key the rights to read orders and balances",
            ),
        ),
        (
            code(TIMED_OUT),
            Meaning(
                LoginRefused,
                "finds the signature of {doing} too old or too new: the clock is off ({said})",
                CLOCK,
            ),
        ),
        (code(422), Meaning(Refused, "does not take what {doing} was asked with: {said}")),
        (
            code(429),
            Meaning(
                RateLimited,
                "asks for fewer calls than {doing} ({said})",
                floor=RETRY_AFTER_DEFAULT,
                cause="rate_limit",
            ),
        ),
        (_begins("4"), Meaning(Refused, "refuses {doing}: {said}")),
    ),
    Meaning(Unavailable, "does not serve {doing}: {said}", floor=OUTAGE_FLOOR),
)


def error_for(
    number: str, text: str, doing: str, clock_off: float | None = None
) -> PrivstreamError:
    """The error of a code and a text; `doing` names what was asked for, in our words.

    `clock_off` is how many seconds Zerocap's clock was ahead of the signature, where it told.
    """
    said = excerpt(text) or f"error {number}"
    if number == TIMED_OUT and clock_off is not None:
        return _timed_out(said, doing, clock_off)
    return REFUSALS.error(text, doing, code=number, said=said)


def _timed_out(said: str, doing: str, clock_off: float) -> PrivstreamError:
    """A 408 with Zerocap's time in it: the clock, or else a call that was too long on its way."""
    way = "behind" if clock_off > 0 else "ahead of"
    clocks = f"this computer's clock is {abs(clock_off):.0f} s {way} Zerocap's"
    if abs(clock_off) < CLOCK_LIMIT - WHOLE_SECONDS:
        message = f"Zerocap let {doing} time out ({said}), although {clocks} only"
        return Unavailable(message, floor=OUTAGE_FLOOR)
    return LoginRefused(f"Zerocap refuses the signature of {doing} ({said}): {clocks}", CLOCK)


def is_final(number: str, text: str) -> bool:
    """The error concerns the whole connection, not the one request that it answers."""
    concerns_login = number == "401" or any(part in text.lower() for part in LOGIN_TEXTS)
    return concerns_login or number in {"403", TIMED_OUT, "429"} or number.startswith("5")

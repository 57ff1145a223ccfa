"""What Zerocap's error codes and texts mean: whose fault, and whether a retry can help.

The same ones come as HTTP answers and as frames; a code is a number or a text, by
dialect. Source: protocols/zerocap.md sections 2 to 4 (checked 2026-11-20).
"""

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

# Texts of a 401, by what they contain; the first that fits counts.
_LOGIN: tuple[tuple[str, type[Refused], str, str], ...] = (
    (
        "ip address",
        PermissionMissing,
        "does not let this key in from this computer's address",
        "add this computer's IP address to those that the key allows",
    ),
    ("timestamp", LoginRefused, "does not take this computer's time", CLOCK),
    (
        "encryption check",
        LoginRefused,
        "refuses the signature: the API secret is not that of the key",
        "check api_secret; copy it again, whole",
    ),
    (
        "",
        LoginRefused,
        "refuses the API key or its signature",
        "check api_key and api_secret, and that they are of this environment",
    ),
)

_LOGIN_TEXTS = ("unauthorized", "encryption check", "invalid timestamp")
"""Mean the login whatever code they come with."""


def error_for(code: str, text: str, doing: str) -> PrivstreamError:
    """The error of a code and a text; `doing` names what was asked for, in our words."""
    said = excerpt(text) or f"error {code}"
    if _concerns_login(code, said):
        return _login_refused(said, doing)
    if make := _BY_CODE.get(code):
        return make(said, doing)
    if code.startswith("4"):
        return Refused(f"Zerocap refuses {doing}: {said}")
    return Unavailable(f"Zerocap does not serve {doing}: {said}", floor=OUTAGE_FLOOR)


def is_final(code: str, text: str) -> bool:
    """The error concerns the whole connection, not the one request that it answers."""
    if _concerns_login(code, text):
        return True
    return code in {"403", "408", "429"} or code.startswith("5")


def _concerns_login(code: str, text: str) -> bool:
    return code == "401" or any(part in text.lower() for part in _LOGIN_TEXTS)


def _login_refused(said: str, doing: str) -> Refused:
    kind, message, hint = next(
        (kind, message, hint) for part, kind, message, hint in _LOGIN if part in said.lower()
    )
    return kind(f"Zerocap {message}, asked for {doing} ({said})", hint)


def _forbidden(said: str, doing: str) -> PrivstreamError:
    hint = "give the key the rights to read orders and balances"
    return PermissionMissing(f"Zerocap does not let this key use {doing} ({said})", hint)


def _skewed(said: str, doing: str) -> PrivstreamError:
    message = f"Zerocap finds the signature of {doing} too old or too new: the clock is off"
    return LoginRefused(f"{message} ({said})", CLOCK)


def _invalid(said: str, doing: str) -> PrivstreamError:
    return Refused(f"Zerocap does not take what {doing} was asked with: {said}")


def _too_many(said: str, doing: str) -> PrivstreamError:
    message = f"Zerocap asks for fewer calls than {doing} ({said})"
    return RateLimited(message, floor=RETRY_AFTER_DEFAULT, cause="rate_limit")


_BY_CODE = {"403": _forbidden, "408": _skewed, "422": _invalid, "429": _too_many}

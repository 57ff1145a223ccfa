"""What Centrifugo's error codes and close codes mean: whose fault, can a retry help.

The one rule: only a close code that forbids a retry, or an error that would come again,
ends the watch. Source: protocols/indodax.md section 4 (checked 2026-11-20).
"""

from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    TokenRefused,
    Unavailable,
)
from privstream.model.http_errors import excerpt

PERMISSION_DENIED = 103
ALREADY_SUBSCRIBED = 105
TOKEN_EXPIRED = 109
UNRECOVERABLE = 112

INVALID_TOKEN = 3500
BAD_REQUEST = 3501
STALE = 3502
CONNECTION_LIMIT = 3504
TOO_MANY_REQUESTS = 3013
POLICY = 1008

BUSY = 5.0
RATE_LIMIT = 15.0
SLOT = 30.0  # a dead connection of ours holds its place until the server drops it after 28 s

_REPORT = "this is a bug of privstream: please report it"
_RIGHTS = "make a new API key with the right 'view'"
_REFUSED = {
    101: (LoginRefused, "check the API key, or make a new one"),
    PERMISSION_DENIED: (PermissionMissing, _RIGHTS),
    106: (Refused, "end other programs that use this account's stream"),
}


def error_for(code: int, text: str, doing: str, *, temporary: bool = False) -> PrivstreamError:
    """The error of a reply; `doing` names what was asked for, in our words."""
    message = f"Indodax refuses {doing}: {excerpt(text)} ({code})"
    if code in {TOKEN_EXPIRED, 110}:
        return TokenRefused(message, cause="token")
    if code == 111:  # noqa: PLR2004 - "too many requests"
        return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")
    if temporary or code == 100:  # noqa: PLR2004 - "internal server error"
        return Unavailable(message, floor=BUSY, cause="unavailable")
    kind, hint = _REFUSED.get(code, (Refused, _REPORT))
    return kind(message, hint)


def closed(code: int, reason: str) -> PrivstreamError | None:
    """What a close frame means; `None` where one just connects again.

    3005 (the login ran out) is among these: every connection fetches its own token.
    """
    message = f"Indodax closed the connection: {code} {excerpt(reason)}".rstrip()
    if code in {INVALID_TOKEN, POLICY}:
        return TokenRefused(message, cause="token")
    if code == CONNECTION_LIMIT:
        # It may be our own last connection, not yet noticed as dead; if not, this gives up.
        return TokenRefused(message, cause="connection_limit", floor=SLOT)
    if code == TOO_MANY_REQUESTS:
        return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")
    if code == BAD_REQUEST:
        return PrivstreamError(message, _REPORT)
    if code != STALE and (3500 <= code <= 3999 or 4500 <= code <= 4999):  # noqa: PLR2004 - the terminal ranges
        return Refused(message, "it says not to come back: ask Indodax why")
    return None

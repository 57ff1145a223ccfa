"""What Centrifugo's error codes and close codes mean: whose fault, can a retry help.

The one rule: only a close code that forbids a retry, or an error that would come again,
ends the watch. Source: https://centrifugal.dev/docs/server/codes and the server's own
github.com/centrifugal/centrifuge (disconnect.go, unsubscribe.go), checked 2026-11-30.
"""

from privstream.model.errors import (
    Interrupted,
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
SLOTS = 2
FRESH_LOGINS = 1
STATE_INVALIDATED = 3014
UNSUBSCRIBED_STATE_INVALIDATED = 2502
"""The place that we know is worth nothing any more."""

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


class ReconnectRule:
    """Over the connections of a run: whether one may come back after a close frame.

    Most codes from 3500 on say not to, and mean a connection, a token or a user. Which of them,
    a login with a fresh token shows; what is shut again right after it stays shut.
    """

    def __init__(self) -> None:
        self._shut = 0
        """How often in a row a connection was closed for good before it had lasted."""

    def lasted(self) -> None:
        """A connection was live for a while."""
        self._shut = 0

    def closed(self, code: int, reason: str) -> PrivstreamError | None:
        """What a close frame means; `None` where one just connects again.

        3005 (the login ran out) is among these: every connection fetches its own token.
        """
        message = f"Indodax closed the connection: {code} {excerpt(reason)}".rstrip()
        if code in {INVALID_TOKEN, POLICY}:
            return TokenRefused(message, cause="token")
        if code == TOO_MANY_REQUESTS:
            return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")
        if code != STALE and (3500 <= code <= 3999 or 4500 <= code <= 4999):  # noqa: PLR2004 - the terminal ranges
            return self._shut_with(code, message)
        return None

    def _shut_with(self, code: int, message: str) -> PrivstreamError:
        self._shut += 1
        # It may be our own last connection, not yet noticed as dead.
        tries, floor = (SLOTS, SLOT) if code == CONNECTION_LIMIT else (FRESH_LOGINS, BUSY)
        if self._shut <= tries:
            return Interrupted(message, floor=floor)
        if code == BAD_REQUEST:
            return PrivstreamError(message, _REPORT)
        if code == CONNECTION_LIMIT:
            return Refused(message, _REFUSED[106][1])
        return Refused(message, "it says not to come back: ask Indodax why")

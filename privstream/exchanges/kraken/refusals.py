"""What Kraken's error strings mean: whose fault, and whether a retry can help.

The same strings come over REST and both sockets; a detail may follow after a colon,
so they are matched by how they begin. Source: protocols/kraken.md section 1
(checked 2026-11-20).
"""

from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    TokenRefused,
    Unavailable,
    UnknownOrder,
)

LOCKOUT = 900.0  # EGeneral:Temporary lockout lasts about 15 minutes
RATE_LIMIT = 15.0
BUSY = 5.0


class NonceRefused(LoginRefused):
    """The nonce is not above the last one that Kraken saw for this key."""


class UnknownPair(Refused):
    """A name that is asked for is none of a listed pair of this class."""


def error_for(text: str, doing: str) -> PrivstreamError:
    """The error of a string; `doing` names what was asked for, in our words."""
    for prefix, make in _MEANINGS:
        if text.startswith(prefix):
            return make(text, doing)
    return Refused(f"Kraken refused {doing}: {text}")


def order_error(text: str, doing: str = "the order") -> PrivstreamError:
    """The error of a refused order call, with what to do about it; `doing` names the call.

    One that is `Unreachable` says that the order may exist all the same.
    """
    if text.startswith(("EGeneral:Permission denied", "EAPI:Permission denied")):
        return PermissionMissing(
            f"Kraken does not let this key place or cancel orders ({text})",
            "give a key for trading the right 'Create & modify orders'",
        )
    for prefix, hint in _ORDER_HINTS:
        if text.startswith(prefix):
            kind = UnknownOrder if prefix in _UNKNOWN_ORDER else Refused
            return kind(f"Kraken refused {doing}: {text}", hint)
    error = error_for(text, doing)
    if type(error) is Refused and error.hint is None:
        error.hint = "check the order's terms against the pair's rules on Kraken"
    return error


_UNKNOWN_ORDER = frozenset({"EOrder:Unknown order", "EOrder:Invalid order"})
_ORDER_HINTS = (
    ("EOrder:Unknown order", "it may be filled, canceled or expired already: look at it"),
    ("EOrder:Invalid order", "check the id"),
    ("EGeneral:Invalid arguments:cl_ord_id not unique", "an open order has that client id"),
    ("EOrder:Insufficient funds", "less is available than it needs: open orders hold some"),
    ("EOrder:Insufficient margin", "no margin is to be had now; try a smaller order"),
    ("EOrder:Order minimum not met", "take a larger quantity"),
    ("EOrder:Cost minimum not met", "take a larger quantity"),
    ("EOrder:Tick size check failed", "take a price with the pair's step"),
    ("EOrder:Invalid price", "take a price with fewer decimals"),
    ("EOrder:Post only order", "it would have been filled at once: take another price"),
    ("EOrder:Rate limit exceeded", "too many orders on this pair: wait a minute"),
    ("EOrder:Domain rate limit exceeded", "too many orders on this pair: wait a minute"),
    ("EOrder:Orders limit exceeded", "cancel some of the open orders on this pair"),
    ("EService:Market in", "the market takes no such orders now: try again later"),
)


def _invalid_key(text: str, doing: str) -> PrivstreamError:
    message = f"Kraken does not know this API key, asked for {doing} ({text})"
    return LoginRefused(message, "check api_key, or make a new key")


def _invalid_signature(text: str, doing: str) -> PrivstreamError:
    message = f"Kraken refuses the signature of {doing}: wrong API secret ({text})"
    return LoginRefused(message, "check api_secret; copy the private key again, whole")


def _invalid_nonce(text: str, doing: str) -> PrivstreamError:
    hint = "another program uses this key with larger nonces: make a key for privstream alone"
    return NonceRefused(f"Kraken refuses the nonce of {doing} ({text})", hint)


def _permission(text: str, doing: str) -> PrivstreamError:
    hint = (
        "give the key the rights 'Access WebSockets API', 'Query funds', "
        "'Query open orders & trades' and 'Query closed orders & trades'"
    )
    return PermissionMissing(f"Kraken does not let this key use {doing} ({text})", hint)


def _permission_of_account(text: str, doing: str) -> PrivstreamError:
    """`EAccount:Invalid permissions:STBL trading restricted for NL.`: no key's right mends that."""
    if not text.partition(_ACCOUNT)[2].strip(": "):
        return _permission(text, doing)
    hint = "Kraken restricts this in the account's country, or for this account: ask Kraken"
    return Refused(f"Kraken refused {doing}: {text}", hint)


_ACCOUNT = "EAccount:Invalid permissions"


def _lockout(text: str, doing: str) -> PrivstreamError:
    message = (
        f"Kraken has locked this account's API for about 15 minutes, asked for {doing} ({text})"
    )
    return RateLimited(message, floor=LOCKOUT, cause="rate_limit")


def _rate_limit(text: str, doing: str) -> PrivstreamError:
    message = f"Kraken asks for fewer calls than {doing} ({text})"
    return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")


def _token(text: str, doing: str) -> PrivstreamError:
    return TokenRefused(f"Kraken does not take the token for {doing} ({text})", cause="token")


def _unknown_pair(text: str, doing: str) -> PrivstreamError:
    return UnknownPair(f"Kraken knows no such pair, asked for {doing} ({text})")


def _unknown_order(text: str, doing: str) -> PrivstreamError:
    return UnknownOrder(f"Kraken knows no such order, asked for {doing} ({text})", "check the id")


def _busy(text: str, doing: str) -> PrivstreamError:
    message = f"Kraken is busy or in maintenance, asked for {doing} ({text})"
    return Unavailable(message, floor=BUSY, cause="unavailable")


_MEANINGS = (
    ("EAPI:Invalid key", _invalid_key),
    ("EAPI:Invalid signature", _invalid_signature),
    ("EAPI:Invalid nonce", _invalid_nonce),
    ("EGeneral:Permission denied", _permission),
    ("EAPI:Permission denied", _permission),
    (_ACCOUNT, _permission_of_account),
    ("EGeneral:Temporary lockout", _lockout),
    ("EAPI:Rate limit exceeded", _rate_limit),
    ("EAuth:Rate limit exceeded", _rate_limit),
    ("EAuth:Too many requests", _rate_limit),
    ("EGeneral:Too many requests", _rate_limit),
    ("EService:Throttled", _rate_limit),
    ("EService: Throttled", _rate_limit),
    ("Exceeded msg rate", _rate_limit),
    ("EQuery:Unknown asset pair", _unknown_pair),
    ("EOrder:Unknown order", _unknown_order),
    ("EOrder:Invalid order", _unknown_order),
    ("ESession:Invalid session", _token),
    ("EAPI:Invalid token", _token),
    ("Token(s) not found", _token),
    ("EService:", _busy),
    ("EGeneral:Internal error", _busy),
    ("EDatabase:Internal error", _busy),
)

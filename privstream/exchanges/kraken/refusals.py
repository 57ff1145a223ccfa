"""What Kraken's error strings mean: whose fault, and whether a retry can help.

The same strings come over REST and both sockets; a detail may follow after a colon, so they
are matched by how they begin.
Source: https://docs.kraken.com/api/docs/guides/spot-errors (checked 2026-11-20).
"""

from privstream.exchanges.kit.refusals import Meaning, NonceRefused, Refusals, Row, begins
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    TokenRefused,
    Unavailable,
    UnknownOrder,
    Unreachable,
)


class UnknownPair(Refused):
    """A name that is asked for is none of a listed pair of this class."""


def error_for(text: str, doing: str) -> PrivstreamError:
    """The error of a string; `doing` names what was asked for, in our words."""
    return _REFUSALS.error(text, doing)


def order_error(text: str, doing: str = "the order") -> PrivstreamError:
    """The error of a refused order call, with what to do about it; `doing` names the call.

    One that is `Unreachable` says that the order may exist all the same.
    """
    return _ORDER_REFUSALS.error(text, doing)


def call_error(
    said: str | None, doing: str, *, is_refused: bool, names_order: bool
) -> PrivstreamError | None:
    """What an answer that says no plain yes means; `None` where it names the order it made."""
    if said is not None:
        return order_error(said, doing)
    if is_refused:
        hint = "check the order's terms against the pair's rules on Kraken"
        return Refused(f"Kraken refused {doing} and says no reason", hint)
    if names_order:
        return None
    return Unreachable(f"Kraken's answer to {doing} says neither yes nor no")


_ACCOUNT = "EAccount:Invalid permissions"


def _concerns_account(_code: str, text: str) -> bool:
    """`EAccount:Invalid permissions:STBL trading restricted for NL.`: no key's right mends that."""
    return bool(text.partition(_ACCOUNT)[2].strip(": "))


_READING = (
    "give the key the rights 'Access WebSockets API', 'Query funds', "
    "'Query open orders & trades' and 'Query closed orders & trades'"
)
_LOCKOUT = "has locked this account's API for about 15 minutes, asked for {doing} ({said})"
_RATE = Meaning(
    RateLimited, "asks for fewer calls than {doing} ({said})", floor=15.0, cause="rate_limit"
)

_ROWS: tuple[Row, ...] = (
    (
        begins("EAPI:Invalid key"),
        Meaning(
            LoginRefused,
            "does not know this API key, asked for {doing} ({said})",
            "check api_key, or make a new key",
        ),
    ),
    (
        begins("EAPI:Invalid signature"),
        Meaning(
            LoginRefused,
            "refuses the signature of {doing}: wrong API secret ({said})",
            "check api_secret; copy the private key again, whole",
        ),
    ),
    (
        begins("EAPI:Invalid nonce"),
        Meaning(
            NonceRefused,
            "refuses the nonce of {doing} ({said})",
            "another program uses this key with larger nonces: make a key for privstream alone",
        ),
    ),
    (
        _concerns_account,
        Meaning(
            Refused,
            "refused {doing}: {said}",
            "Kraken restricts this in the account's country, or for this account: ask Kraken",
        ),
    ),
    (
        begins("EGeneral:Permission denied", "EAPI:Permission denied", _ACCOUNT),
        Meaning(PermissionMissing, "does not let this key use {doing} ({said})", _READING),
    ),
    (
        begins("EGeneral:Temporary lockout"),
        Meaning(RateLimited, _LOCKOUT, floor=900.0, cause="rate_limit"),
    ),
    (begins("EAPI:Rate limit exceeded", "EAuth:Rate limit exceeded"), _RATE),
    (begins("EAuth:Too many requests", "EGeneral:Too many requests"), _RATE),
    (begins("EService:Throttled", "EService: Throttled", "Exceeded msg rate"), _RATE),
    (
        begins("EQuery:Unknown asset pair"),
        Meaning(UnknownPair, "knows no such pair, asked for {doing} ({said})"),
    ),
    (
        begins("EOrder:Unknown order", "EOrder:Invalid order"),
        Meaning(UnknownOrder, "knows no such order, asked for {doing} ({said})", "check the id"),
    ),
    (
        begins("ESession:Invalid session", "EAPI:Invalid token", "Token(s) not found"),
        Meaning(TokenRefused, "does not take the token for {doing} ({said})", cause="token"),
    ),
    (
        begins("EService:", "EGeneral:Internal error", "EDatabase:Internal error"),
        Meaning(
            Unavailable,
            "is busy or in maintenance, asked for {doing} ({said})",
            floor=5.0,
            cause="unavailable",
        ),
    ),
)


def _refused(beginning: str, hint: str, kind: type[Refused] = Refused) -> Row:
    return begins(beginning), Meaning(kind, "refused {doing}: {said}", hint)


_SMALL = "take a larger quantity"
_OFTEN = "too many orders on this pair: wait a minute"
_OVER = "it may be filled, canceled or expired already: look at it"
_ORDER_ROWS: tuple[Row, ...] = (
    (
        begins("EGeneral:Permission denied", "EAPI:Permission denied"),
        Meaning(
            PermissionMissing,
            "does not let this key place or cancel orders ({said})",
            "give a key for trading the right 'Create & modify orders'",
        ),
    ),
    _refused("EOrder:Unknown order", _OVER, UnknownOrder),
    _refused("EOrder:Invalid order", "check the id", UnknownOrder),
    _refused("EGeneral:Invalid arguments:cl_ord_id not unique", "an open order has that client id"),
    _refused("EOrder:Insufficient funds", "less is available than it needs: open orders hold some"),
    _refused("EOrder:Insufficient margin", "no margin is to be had now; try a smaller order"),
    _refused("EOrder:Order minimum not met", _SMALL),
    _refused("EOrder:Cost minimum not met", _SMALL),
    _refused("EOrder:Tick size check failed", "take a price with the pair's step"),
    _refused("EOrder:Invalid price", "take a price with fewer decimals"),
    _refused("EOrder:Post only order", "it would have been filled at once: take another price"),
    _refused("EOrder:Rate limit exceeded", _OFTEN),
    _refused("EOrder:Domain rate limit exceeded", _OFTEN),
    _refused("EOrder:Orders limit exceeded", "cancel some of the open orders on this pair"),
    _refused("EService:Market in", "the market takes no such orders now: try again later"),
)
_TERMS = "check the order's terms against the pair's rules on Kraken"

_REFUSALS = Refusals("Kraken", _ROWS, Meaning(Refused, "refused {doing}: {said}"))
_ORDER_REFUSALS = Refusals(
    "Kraken", (*_ORDER_ROWS, *_ROWS), Meaning(Refused, "refused {doing}: {said}", _TERMS)
)

"""What Indodax's REST errors mean: whose fault, and whether a retry can help.

Keys of the older kind get words (`error_code`, often empty) and sentences, their histories
numbers; TAPI v2 has negative numbers, of which -2015 means several things. Source:
https://github.com/btcid/indodax-official-api-docs, Private-RestAPI.md and
INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

from privstream.exchanges.kit.refusals import (
    Fits,
    Meaning,
    NonceRefused,
    Refusals,
    begins,
    code,
    holds,
)
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
    UnknownOrder,
)
from privstream.model.http_errors import excerpt

RATE_LIMIT = 15.0
BUSY = 5.0

_KEY = "check api_key, or make a new key"
_SECRET = "check api_secret; copy the secret key again, whole"  # noqa: S105 - a hint
_CLOCK = "set this machine's clock: it may run at most 1 s ahead and 5 s behind"
_NONCE = "another program uses this key with nonces: make a key for privstream alone"
_RIGHTS = "give the key the right 'view', or make a new one that has it"
_LOCKED = "ask Indodax to unlock the account or its API"
_V2_RIGHTS = (
    "see on https://indodax.com/trade_api that the key has the right 'Reading' and that its "
    "list of addresses, if it has one, holds this machine's"
)
_OTHER_KIND = 'leave out the setting `api`, or set it to the kind of this key: "v1" or "v2"'


class WrongKeyKind(LoginRefused):
    """The key is of the other kind than the host takes."""


class Untimely(NonceRefused):
    """The time of a request is outside of its window; seen once on a clock that was right."""


def both(first: Fits, second: Fits) -> Fits:
    """Code and text must fit."""
    return lambda word, text: first(word, text) and second(word, text)


SAYS = "refuses {doing}: {said}"

REFUSALS = Refusals(
    "Indodax",
    (
        (
            code("too_many_requests", -1003),
            Meaning(RateLimited, SAYS, floor=RATE_LIMIT, cause="rate_limit"),
        ),
        (code(1000, -1001, -1016), Meaning(Unavailable, SAYS, floor=BUSY, cause="unavailable")),
        (code("invalid_version_key"), Meaning(WrongKeyKind, SAYS, _OTHER_KIND)),
        (both(code(-2015, ""), holds("version")), Meaning(WrongKeyKind, SAYS, _OTHER_KIND)),
        (both(code(-2015), holds("lock", "disabled")), Meaning(PermissionMissing, SAYS, _LOCKED)),
        (code(-2015), Meaning(PermissionMissing, SAYS, _V2_RIGHTS)),
        (code(-1021), Meaning(Untimely, SAYS, _CLOCK)),
        (both(code(-1022), holds("nonce")), Meaning(LoginRefused, SAYS, _NONCE)),
        (code("bad_sign", 1101, -1022), Meaning(LoginRefused, SAYS, _SECRET)),
        (code("invalid_nonce", 1003), Meaning(LoginRefused, SAYS, _NONCE)),
        (code("invalid_timestamp", 1002), Meaning(LoginRefused, SAYS, _CLOCK)),
        (
            code("invalid_tapi_key", "invalid_credentials", 1001, 1102, -1002, -2014),
            Meaning(LoginRefused, SAYS, _KEY),
        ),
        (code(1103, 1104, 1105), Meaning(PermissionMissing, SAYS, _LOCKED)),
        (code("no_permission", 1106), Meaning(PermissionMissing, SAYS, _RIGHTS)),
        (code(-2013), Meaning(UnknownOrder, SAYS)),
        (begins("Invalid credentials. Bad sign"), Meaning(LoginRefused, SAYS, _SECRET)),
        (holds("invalid credentials", "invalid tapi key"), Meaning(LoginRefused, SAYS, _KEY)),
        (holds("invalid timestamp"), Meaning(LoginRefused, SAYS, _CLOCK)),
        (holds("invalid nonce"), Meaning(LoginRefused, SAYS, _NONCE)),
        (holds("no permission"), Meaning(PermissionMissing, SAYS, _RIGHTS)),
    ),
    otherwise=Meaning(Refused, SAYS),
)


def error_for(word: object, text: object, doing: str) -> PrivstreamError:
    """The error of an answer; `doing` names what was asked for."""
    sentence = str(text or "")
    said = excerpt(sentence or str(word or "")) or "without a reason"
    return REFUSALS.error(sentence, doing, code=word or "", said=said)

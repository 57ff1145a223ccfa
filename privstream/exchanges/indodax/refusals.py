"""What Indodax's REST errors mean: whose fault, and whether a retry can help.

v1 has words (`error_code`, often empty) and sentences (`error`), v2 has numbers.
Source: protocols/indodax.md sections 2 and 6 (checked 2026-11-20).
"""

from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
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

_BY_WORD: dict[str, tuple[type[Refused], str]] = {
    "invalid_tapi_key": (LoginRefused, _KEY),
    "invalid_credentials": (LoginRefused, _KEY),
    "bad_sign": (LoginRefused, _SECRET),
    "1001": (LoginRefused, _KEY),
    "1002": (LoginRefused, _CLOCK),
    "1003": (LoginRefused, _NONCE),
    "1101": (LoginRefused, _SECRET),
    "1102": (LoginRefused, _KEY),
    "1103": (PermissionMissing, _LOCKED),
    "1104": (PermissionMissing, _LOCKED),
    "1105": (PermissionMissing, _LOCKED),
    "1106": (PermissionMissing, _RIGHTS),
}
_BY_SENTENCE: tuple[tuple[str, type[Refused], str], ...] = (
    ("invalid credentials. bad sign", LoginRefused, _SECRET),
    ("invalid credentials", LoginRefused, _KEY),
    ("invalid tapi key", LoginRefused, _KEY),
    ("invalid timestamp", LoginRefused, _CLOCK),
    ("invalid nonce", LoginRefused, _NONCE),
    ("no permission", PermissionMissing, _RIGHTS),
)


def error_for(code: object, text: object, doing: str) -> PrivstreamError:
    """The error of an answer; `doing` names what was asked for."""
    word, sentence = str(code or ""), str(text or "")
    message = f"Indodax refuses {doing}: {excerpt(sentence or word) or 'without a reason'}"
    if word == "too_many_requests":
        return RateLimited(message, floor=RATE_LIMIT, cause="rate_limit")
    if word == "1000":
        return Unavailable(message, floor=BUSY, cause="unavailable")
    if word in _BY_WORD:
        kind, hint = _BY_WORD[word]
        return kind(message, hint)
    for begin, kind, hint in _BY_SENTENCE:
        if sentence.lower().startswith(begin):
            return kind(message, hint)
    return Refused(message)

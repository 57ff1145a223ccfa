"""The keys of the account: one of the older kind, one of TAPI v2, and when a request is timely.

The one rule: a key of one kind is none to the hosts of the other.
"""

import hmac
from typing import Literal

from msgspec import Struct

from privstream.model.rest import Now

EARLY = 1000  # milliseconds that a client's clock may be ahead
RECV_WINDOW = 5000
DIGESTS = {"v1": "sha512", "v2": "sha256"}


class Credentials(Struct, frozen=True):
    """One key, and what it may do."""

    key: str
    secret: bytes
    rights: frozenset[str]
    version: Literal["v1", "v2"] = "v1"

    def signed(self, text: bytes, signature: str) -> bool:
        wanted = hmac.digest(self.secret, text, DIGESTS[self.version]).hex()
        return hmac.compare_digest(wanted.encode(), signature.lower().encode())


class Timeliness:
    """Of the requests of one key: within their window, or with nonces that grow."""

    def __init__(self) -> None:
        self._nonce = -1

    def untimely(self, fields: dict[str, str], now: Now) -> tuple[str, str] | None:
        """Why the request comes too early, too late or again; takes those fields out."""
        nonce, timestamp = fields.pop("nonce", None), fields.pop("timestamp", None)
        window = fields.pop("recvWindow", str(RECV_WINDOW))
        if timestamp is None:
            return self._repeated(nonce)
        if not (_is_count(timestamp) and _is_count(window)):
            return "Invalid timestamp.", "invalid_timestamp"
        age = now.wall_ns // 1_000_000 - int(timestamp)
        if age <= -EARLY or age > int(window):
            return "Invalid timestamp. Timestamp outside recvWindow.", "invalid_timestamp"
        return None

    def _repeated(self, nonce: str | None) -> tuple[str, str] | None:
        if nonce is None or not _is_count(nonce) or int(nonce) <= self._nonce:
            text = f"Invalid nonce. Nonce must be greater than {max(self._nonce, 0)}."
            return text, "invalid_nonce"
        self._nonce = int(nonce)
        return None


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit()

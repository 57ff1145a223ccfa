"""Who may come in: the three headers that REST and the handshake of a socket share.

The one rule: the signature covers the timestamp's text and nothing else.
"""

import hashlib
import hmac
from collections.abc import Mapping

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Refusal

MOST_SKEW = 30  # seconds
BUSY = 503
SECOND_NS = 1_000_000_000
JSON, PLAIN = "application/json", "text/plain; charset=utf-8"


class ZerocapRefused(Exception):
    """The request is answered with this status and text."""

    def __init__(self, status: int, text: str, content_type: str = PLAIN) -> None:
        super().__init__(text)
        self.answer = Answer(status, text.encode(), content_type)


def invalid(why: str) -> ZerocapRefused:
    """ZerocapRefused for what it asks; the documents name the status, but show no body."""
    return ZerocapRefused(422, exact.encode({"detail": why}).decode(), JSON)


class Keys(Struct):
    """The one key that is known here."""

    key: str
    secret: bytes
    ip_allowed: bool = True
    refusal: Refusal | None = None

    def check(self, headers: Mapping[str, str], now: Now) -> None:
        """Raise ZerocapRefused where the headers do not prove who asks, and when."""
        if headers.get("api-key") != self.key or self.refusal == "key":
            raise ZerocapRefused(401, "Unauthorized.")
        if not self.ip_allowed:
            raise ZerocapRefused(401, "Unauthorized IP address.")
        timestamp = headers.get("timestamp", "")
        if self.refusal == "nonce":  # there is none; what passes here is being busy
            self.refusal = None
            raise ZerocapRefused(BUSY, "Service Unavailable")
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise ZerocapRefused(401, "invalid timestamp")
        if abs(now.wall_ns // SECOND_NS - int(timestamp)) > MOST_SKEW:
            raise ZerocapRefused(408, "Request Timeout")
        if not self.signed(timestamp, headers.get("signature", "")):
            raise ZerocapRefused(401, "encryption check is fail")

    def signed(self, timestamp: str, signature: str) -> bool:
        """Whether this is the timestamp's HMAC-SHA256, in lower-case hex."""
        wanted = hmac.new(self.secret, timestamp.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), signature.encode())

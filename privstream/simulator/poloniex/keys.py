"""The one key that is known here, what it may do, and how it signs.

The one rule: a signature is checked over what was really sent, in base64 of HMAC-SHA256.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

from msgspec import Struct

from privstream.model.rest import Now
from privstream.simulator.base import Request

LONGEST_AGE_MS = 300_000
UNESCAPED = "~()*!'"
SIGN_METHOD, SIGN_VERSION = "hmacsha256", "2"


class Key(Struct):
    """`rights` are `read` and `trade`."""

    name: str
    secret: bytes
    rights: frozenset[str]
    refused: bool = False
    """Whether whoever comes with it is sent away."""

    def signed(self, text: str, signature: Any) -> bool:
        wanted = base64.b64encode(hmac.digest(self.secret, text.encode(), "sha256"))
        return isinstance(signature, str) and hmac.compare_digest(wanted, signature.encode())

    def logs_in(self, params: Mapping[str, Any], timestamp: str, now: Now) -> bool:
        """Whether this login on the socket is a good one."""
        if params["key"] != self.name or "read" not in self.rights or is_old(timestamp, now):
            return False
        if not is_known_signing(params.get("signatureMethod"), params.get("signatureVersion")):
            return False
        if self.refused:
            return False
        return self.signed(f"GET\n/ws\nsignTimestamp={timestamp}", params["signature"])


def is_known_signing(method: Any, version: Any) -> bool:
    """Both may be left out; the method is written in several ways."""
    known = method is None or str(method).lower() == SIGN_METHOD
    return known and (version is None or str(version) == SIGN_VERSION)


def age_ms(timestamp: str, now: Now) -> int:
    return now.wall_ns // 1_000_000 - int(timestamp)


def is_old(timestamp: str, now: Now) -> bool:
    """The past is refused, the future is not."""
    return age_ms(timestamp, now) >= LONGEST_AGE_MS


def is_count(text: Any) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdigit()


def signed_text(request: Request, timestamp: str) -> str:
    """What a REST request must have signed: of a query its sorted fields, percent-encoded."""
    if request.body:
        body = request.body.decode(errors="replace")
        fields = f"requestBody={body}&signTimestamp={timestamp}"
    else:
        pairs = [*parse_qsl(request.query, keep_blank_values=True), ("signTimestamp", timestamp)]
        fields = "&".join(f"{name}={quote(value, safe=UNESCAPED)}" for name, value in sorted(pairs))
    return f"{request.method}\n{request.path}\n{fields}"

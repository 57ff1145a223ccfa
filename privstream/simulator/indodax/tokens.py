"""The connection tokens: HS256 JWTs that name the account and when they end."""

import base64
import hashlib
import hmac

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now

SECRET = hashlib.sha256(b"privstream simulated indodax tokens").digest()
"""Always the same, so that a restarted simulator knows its tokens."""
HEADER = {"typ": "JWT", "alg": "HS256"}


class Invalid(Exception):
    """The text is no token of ours."""


class Claims(Struct, frozen=True):
    """Whose token it is, and its last second of life since the epoch."""

    user: str
    expires: int

    def ttl(self, now: Now) -> int:
        return self.expires - now.wall_ns // 1_000_000_000


class Tokens:
    """Makes and reads tokens of one account."""

    def __init__(self, user: str, life: int) -> None:
        self.user, self._life = user, life
        self._dead_until = self._latest = 0
        self.refuses_once = False
        """Whether the next login on a socket fails for no fault of its own."""

    def expire(self) -> None:
        """Let every token that was given out end now."""
        self._dead_until = self._latest

    def has_ended(self, claims: Claims) -> bool:
        """Whether a token was ended before its time."""
        return claims.expires <= self._dead_until

    def issue(self, now: Now) -> str:
        # Never the text of a token that was ended, not even within the same second.
        expires = max(now.wall_ns // 1_000_000_000 + self._life, self._dead_until + 1)
        self._latest = max(self._latest, expires)
        parts = (exact.encode(HEADER), exact.encode({"sub": self.user, "exp": expires}))
        text = ".".join(_coded(part) for part in parts)
        return f"{text}.{_signature(text)}"

    def read(self, token: str) -> Claims:
        """What a token says, also when it has ended. Raises Invalid."""
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_signature(text).encode(), signature.encode()):
            raise Invalid
        payload = exact.decode(_decoded(text.partition(".")[2]))
        return Claims(user=payload["sub"], expires=payload["exp"])


def _signature(text: str) -> str:
    return _coded(hmac.digest(SECRET, text.encode(), "sha256"))


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

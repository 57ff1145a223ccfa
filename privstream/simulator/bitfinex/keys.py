"""Who may ask: one key, its nonce for sockets and REST together, and the tokens made with it.

The one rule: a signature is made over the very bytes that came.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from privstream.model.rest import Now
from privstream.simulator.base import Refusal
from privstream.simulator.bitfinex.words import uuid

SECTIONS = (
    "bfxpay",
    "orders",
    "account",
    "funding",
    "history",
    "wallets",
    "settings",
    "withdraw",
    "positions",
    "ui_withdraw",
)
READ = frozenset({"orders", "account", "funding", "history", "wallets", "positions"})
LARGEST_NONCE = 2**53 - 1
TOKEN_LIFE = 120  # seconds, unless asked otherwise
TOKEN_CAPS = frozenset({"a", "o", "f", "s", "w", "wd", "bp"})


class BitfinexRefused(Exception):
    """The request is answered with this error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Login(Struct, frozen=True):
    """What a socket sent as `auth`."""

    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


class Keys:
    """The account's one key."""

    def __init__(
        self, key: str, secret: str, read: Iterable[str] = READ, write: Iterable[str] = ()
    ) -> None:
        self._key, self._secret = key, secret.encode()
        self.read, self.write = frozenset(read), frozenset(write)
        self.refusal: Refusal | None = None
        self._nonce = 0
        self._tokens: dict[str, float] = {}
        self._issued = 0

    @property
    def caps(self) -> dict[str, dict[str, int]]:
        return {
            section: {"read": int(section in self.read), "write": int(section in self.write)}
            for section in SECTIONS
        }

    # --- sockets -----------------------------------------------------------------------

    def check_login(self, fields: Mapping[str, Any], now: Now) -> None:
        """Let somebody in by token, or by key and signature."""
        login = Login(fields)
        if login.text("token"):
            self.check_token(login.text("token"), now)
            return
        self._check_key(login.text("apiKey"))
        if not login.text("authPayload"):
            raise BitfinexRefused(10111, "auth: payload invalid")
        if not login.text("authSig"):
            raise BitfinexRefused(10112, "auth: signature invalid")
        self._check_signature(login.text("authPayload").encode(), login.text("authSig"))
        self._check_nonce(fields.get("authNonce"))

    # --- REST --------------------------------------------------------------------------

    def check_request(self, headers: Mapping[str, str], path: str, body: bytes, now: Now) -> None:
        if "bfx-token" in headers:
            self.check_token(headers["bfx-token"], now)
            return
        self._check_key(headers.get("bfx-apikey", ""))
        nonce = headers.get("bfx-nonce", "")
        message = f"/api{path}{nonce}".encode() + body
        self._check_signature(message, headers.get("bfx-signature", ""))
        self._check_nonce(nonce)

    # --- tokens ------------------------------------------------------------------------

    def issue(self, arguments: Mapping[str, Any], now: Now) -> str:
        if arguments.get("scope") != "api":
            raise BitfinexRefused(10020, "scope: invalid")
        life = arguments.get("ttl", TOKEN_LIFE)
        if type(life) is not int or life <= 0:
            raise BitfinexRefused(10020, "ttl: invalid")
        caps = arguments.get("caps", [])
        if not isinstance(caps, list) or not TOKEN_CAPS.issuperset(caps):
            raise BitfinexRefused(10020, "caps: invalid")
        self._issued += 1
        token = f"pub:api:{uuid(f'{self._key}/{self._issued}/{now.wall_ns}')}-caps:s:o:f:w:wd:a"
        self._tokens = {t: end for t, end in self._tokens.items() if end > now.monotonic}
        self._tokens[token] = now.monotonic + life
        return token

    def revoke_all(self) -> None:
        self._tokens.clear()

    def revoke(self, token: object) -> None:
        if not isinstance(token, str) or self._tokens.pop(token, None) is None:
            raise BitfinexRefused(10100, "token: invalid")

    def check_token(self, token: str, now: Now) -> None:
        if self._tokens.get(token, 0.0) <= now.monotonic:
            raise BitfinexRefused(10100, "token: invalid")

    # --- below -------------------------------------------------------------------------

    def _check_key(self, key: str) -> None:
        if key != self._key or self.refusal == "key":
            raise BitfinexRefused(10100, "apikey: invalid")

    def _check_signature(self, message: bytes, signature: str) -> None:
        wanted = hmac.digest(self._secret, message, "sha384").hex()
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise BitfinexRefused(10100, "apikey: digest invalid")

    def _check_nonce(self, nonce: object) -> None:
        if self.refusal == "nonce":
            self.refusal = None
            raise BitfinexRefused(10114, "nonce: small")
        text = str(nonce) if type(nonce) in {int, str} else ""
        if not (text.isascii() and text.isdigit()) or not self._nonce < int(text) <= LARGEST_NONCE:
            raise BitfinexRefused(10114, "nonce: small")
        self._nonce = int(text)

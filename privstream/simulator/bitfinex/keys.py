"""Who may ask: one key, and its nonce for sockets and REST together.

The one rule: a signature is made over the very bytes that came.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from privstream.simulator.base import Refusal

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

    @property
    def caps(self) -> dict[str, dict[str, int]]:
        return {
            section: {"read": int(section in self.read), "write": int(section in self.write)}
            for section in SECTIONS
        }

    # --- sockets -----------------------------------------------------------------------

    def check_login(self, fields: Mapping[str, Any]) -> None:
        """Let somebody in by key and signature."""
        login = Login(fields)
        self._check_key(login.text("apiKey"))
        if not login.text("authPayload"):
            raise BitfinexRefused(10111, "auth: payload invalid")
        if not login.text("authSig"):
            raise BitfinexRefused(10112, "auth: signature invalid")
        self._check_signature(login.text("authPayload").encode(), login.text("authSig"))
        self._check_nonce(fields.get("authNonce"))

    # --- REST --------------------------------------------------------------------------

    def check_request(self, headers: Mapping[str, str], path: str, body: bytes) -> None:
        self._check_key(headers.get("bfx-apikey", ""))
        nonce = headers.get("bfx-nonce", "")
        message = f"/api{path}{nonce}".encode() + body
        self._check_signature(message, headers.get("bfx-signature", ""))
        self._check_nonce(nonce)

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

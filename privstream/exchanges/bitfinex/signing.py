"""Signs Bitfinex's login on the socket and its REST calls: HMAC-SHA384, lower-case hex.

The one rule: the login never holds `dms`, which would cancel every open order of the
account when the socket closes. Source: docs.bitfinex.com/docs/ws-auth and /docs/rest-auth
(checked 2026-11-30).
"""

import hashlib
import hmac
from typing import Any

import msgspec

from privstream.model.account import Account, Secret
from privstream.model.rest import HttpRequest, Stamp
from privstream.model.session import Send


def signature(secret: Secret, text: str) -> str:
    """The signature of a text."""
    return hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha384).hexdigest()


def login_message(account: Account, nonce: int) -> Send:
    """Opens the account channel. No `filter`: what is no account event shows in raw format."""
    payload = f"AUTH{nonce}"
    message = {"event": "auth", "authNonce": nonce, "authPayload": payload}
    signed = message | {
        "apiKey": account.api_key.reveal(),
        "authSig": signature(account.api_secret, payload),
    }
    masked = message | {"apiKey": "<api key>", "authSig": "<signature>"}
    return Send(_text(signed), shown=_text(masked))


def _text(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()


def signed_request(
    account: Account, path: str, parameters: dict[str, Any], stamp: Stamp
) -> HttpRequest:
    """A signed POST; `path` starts with /v2, and the signature holds the body as it is sent."""
    body = msgspec.json.encode(parameters)
    nonce = str(stamp.nonce)
    headers = {
        "bfx-nonce": nonce,
        "bfx-apikey": account.api_key.reveal(),
        "bfx-signature": signature(account.api_secret, f"/api{path}{nonce}{body.decode()}"),
        "Content-Type": "application/json",
    }
    return HttpRequest(method="POST", path=path, headers=headers, body=body)

"""Kraken's REST API: signing, answers, errors, the token, names and balances.

The one rule: HTTP 200 proves nothing, the `error` array decides; `result` may be missing.
Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth (checked 2026-11-20).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.kit.complaints import words_of
from privstream.exchanges.kraken.balances import comparable
from privstream.exchanges.kraken.pairs import ORDINARY, Row
from privstream.exchanges.kraken.refusals import error_for
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import Interrupted, LoginRefused, Refused, Unreachable
from privstream.model.reports import BalanceReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

HISTORY_COST = 4.0  # of trade and ledger history; docs say 4, older ones 2; all else costs 1
ANSWERS = Answers("Kraken")


def signature(secret: Secret, path: str, nonce: str, body: bytes) -> str:
    """API-Sign. Raises LoginRefused where the secret is no base64 text."""
    try:
        key = base64.b64decode(secret.reveal(), validate=True)
    except ValueError:
        raise LoginRefused(
            "the Kraken API secret is not the base64 text that Kraken gives out",
            "copy the private key again, whole",
        ) from None
    message = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(key, message, hashlib.sha512).digest()).decode()


def private_call(account: Account, method: str, parameters: Mapping[str, str]) -> Call:
    """A signed POST of a private method, with the second factor where one is configured."""
    path = f"/0/private/{method}"

    def build(stamp: Stamp) -> HttpRequest:
        nonce = str(stamp.nonce)
        fields = {"nonce": nonce, **parameters}
        if (otp := account.credentials.get("otp")) is not None:
            fields["otp"] = otp.reveal()
        body = urlencode(fields).encode()
        headers = {
            "API-Key": account.api_key.reveal(),
            "API-Sign": signature(account.api_secret, path, nonce, body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return HttpRequest(method="POST", path=path, headers=headers, body=body)

    cost = HISTORY_COST if method in {"TradesHistory", "Ledgers"} else 1.0
    return Call(build=build, name=method, nonce=True, cost=cost)


def ask(account: Account, method: str, **parameters: str) -> RestFlow[dict[str, Any]]:
    """Call a private method that changes nothing, and return its `result`."""
    call = private_call(account, method, parameters)
    return (yield from asked(call, partial(read_result, method=method)))


def ask_publicly(method: str, **parameters: str) -> RestFlow[dict[str, Any]]:
    """Call a public method, which costs nothing, and return its `result`."""
    query = f"?{urlencode(parameters)}" if parameters else ""
    path = f"/0/public/{method}{query}"
    call = Call(build=lambda _: HttpRequest(method="GET", path=path), name=method, cost=0.0)
    return (yield from asked(call, partial(read_result, method=method)))


def read_result(response: HttpResponse, method: str) -> dict[str, Any]:
    """The `result` of an answer. Raises what its `error` array means."""
    answer = ANSWERS.read_object(ANSWERS.decoded(response, method), method)
    for text in _errors_of(answer, method):
        if not text.startswith("W"):  # which is a warning
            raise error_for(text, method)
    return ANSWERS.read_object(answer.get("result"), method, "a result")


def _errors_of(answer: dict[str, Any], method: str) -> list[str]:
    """Kraken's own texts. Raises where somebody else answered, with their words."""
    said = answer.get("error")
    if isinstance(said, str) and said.startswith("E"):
        return [said]
    if isinstance(said, list) and all(isinstance(text, str) for text in said):
        return said
    raise ANSWERS.lacks(method, said=words_of(answer))


def fetch_token(account: Account) -> RestFlow[Token]:
    """A token that lives 15 minutes until its first use, then as long as a subscription."""
    result = yield from ask(account, "GetWebSocketsToken")
    return Token(Secret(result["token"]), expires=float(result["expires"]))


# --- names -----------------------------------------------------------------------------

Assets = dict[str, str]
"""REST's names of assets, `XXBT`, to the alternative ones, `XBT`."""


def balances(
    account: Account, assets: Assets, spread: set[str]
) -> RestFlow[tuple[BalanceReport, ...]]:
    """What of the balances can be compared with the stream's; `spread` cannot."""
    rows = yield from ask(account, "Balance")
    yield from _read_assets(assets)
    return comparable(rows, assets, spread)


def _read_assets(assets: Assets) -> RestFlow[None]:
    """Ask for the names of all assets, once; those of the oldest are known without."""
    if assets:
        return
    try:
        rows = yield from ask_publicly("Assets")
    except Interrupted:
        raise
    except (Refused, Unreachable):  # asked again with the next comparison
        return
    for key, row in rows.items():
        name = row.get("altname") if isinstance(row, dict) else None
        if isinstance(name, str) and name.strip():
            assets[key] = name


def read_pairs(wanted: Sequence[str], aclass: str) -> RestFlow[dict[str, Row]]:
    """AssetPairs of these names, or of all. Raises UnknownPair where one is none of this class."""
    query = {"pair": ",".join(wanted)} if wanted else {}
    if aclass != ORDINARY:
        query["aclass_base"] = aclass
    rows = yield from ask_publicly("AssetPairs", **query)
    return {key: row for key, row in rows.items() if isinstance(row, dict)}

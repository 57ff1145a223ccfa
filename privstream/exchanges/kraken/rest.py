"""Kraken's private REST API: signing, answers, errors, reading back.

The one rule: HTTP 200 proves nothing, the `error` array decides; `result` may be
missing. Source: protocols/kraken.md sections 1 and 6 (checked 2026-11-20).
"""

import base64
import hashlib
import hmac
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from privstream.exchanges.base import each
from privstream.exchanges.kraken.balances import comparable
from privstream.exchanges.kraken.orders import Row, read_order, read_trade
from privstream.exchanges.kraken.pairs import ORDINARY, Pairs, learn, wanted_by
from privstream.exchanges.kraken.refusals import BUSY, NonceRefused, error_for
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import (
    Interrupted,
    LoginRefused,
    PermissionMissing,
    Refused,
    Unavailable,
    Unreachable,
)
from privstream.model.events import Source
from privstream.model.exact import Malformed, decode
from privstream.model.http_errors import check
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Known, Listed
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

PAGE = 50  # rows of ClosedOrders and TradesHistory, ids of QueryOrders (sheet section 6)
HISTORY_COST = 4.0  # of trade and ledger history; docs say 4, older ones 2; all else costs 1
LISTED_MARGIN_NS = 5 * 10**9  # our idea of Kraken's clock may be off by some seconds
OVERLAP_NS = 60 * 10**9  # read from before the last whole moment: REST sorts by open time
NONCE_TRIES = 2


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
    """Call a private method and return its `result`; a refused nonce is tried once more."""
    for tries_left in reversed(range(NONCE_TRIES)):
        response = yield private_call(account, method, parameters)
        try:
            return read_result(response, method)
        except NonceRefused:
            if not tries_left:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


def read_result(response: HttpResponse, method: str) -> dict[str, Any]:
    """The `result` of an answer. Raises what its `error` array means."""
    check(response, "Kraken")
    try:
        answer = decode(response.body)
        failures = _failures(answer["error"])
    except (Malformed, KeyError, TypeError, AttributeError) as problem:
        raise Unavailable(
            f"Kraken answered {method} with no answer of its own", floor=BUSY
        ) from problem
    if failures:
        raise error_for(failures[0], method)
    result = answer.get("result")
    if not isinstance(result, dict):
        raise Unavailable(f"Kraken answered {method} without a result", floor=BUSY)
    return result


def _failures(entries: list[str]) -> list[str]:
    """The entries that are failures: one that begins with W is a warning."""
    if not isinstance(entries, list):
        raise TypeError("`error` is no list")
    return [text for text in entries if not text.startswith("W")]


def fetch_token(account: Account) -> RestFlow[Token]:
    """A token that lives 15 minutes until its first use, then as long as a subscription."""
    result = yield from ask(account, "GetWebSocketsToken")
    return Token(Secret(result["token"]), expires=float(result["expires"]))


# --- reading back ----------------------------------------------------------------------

Assets = dict[str, str]
"""REST's names of assets, `XXBT`, to the alternative ones, `XBT`."""


def look_up(
    account: Account, pairs: Pairs, order_ids: Iterable[str]
) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole."""
    rows: dict[str, Row] = {}
    ids = sorted(order_ids)
    for start in range(0, len(ids), PAGE):
        batch = ",".join(ids[start : start + PAGE])
        rows |= yield from ask(account, "QueryOrders", txid=batch)
    return (yield from read_orders(pairs, rows))


def open_orders(account: Account, pairs: Pairs) -> RestFlow[Backfill]:
    """The orders that stand."""
    result = yield from ask(account, "OpenOrders")
    reports = yield from read_orders(pairs, result["open"] or {}, source="snapshot")
    return Backfill((*reports, Listed("orders")), complete=True)


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
        response = yield Call(
            build=lambda _: HttpRequest(method="GET", path="/0/public/Assets"),
            name="Assets",
            cost=0.0,
        )
        rows = read_result(response, "Assets")
    except Interrupted:
        raise
    except (Refused, Unreachable):  # asked again with the next comparison
        return
    for key, row in rows.items():
        if isinstance(row, dict) and isinstance(row.get("altname"), str):
            assets[key] = row["altname"]


def backfill(account: Account, pairs: Pairs, known: Known) -> RestFlow[Backfill]:
    """Fills and closed orders since, and what became of the orders in doubt."""
    reports: list[AnyReport] = []
    missing: list[str] = []
    parts: list[Generator[Call, HttpResponse, tuple[AnyReport, ...]]] = []
    if "trades" in known.channels and not _are_fills_listed(known):
        parts.append(_fills(account, pairs, known))
    if "orders" in known.channels:
        parts.append(_closed_orders(account, pairs, known))
        parts.append(look_up(account, pairs, known.suspects))
    for part in parts:
        try:
            reports += yield from part
        except PermissionMissing as problem:
            missing.append(f"{problem.message}; {problem.hint}")
    detail = missing[0] if missing else None
    return Backfill(tuple(reports), complete=not missing, detail=detail)


def _are_fills_listed(known: Known) -> bool:
    """The socket's list of the last 50 fills reaches back far enough; REST would lag behind it."""
    since = known.fills_since_ns
    return since is not None and since < known.since_ns - LISTED_MARGIN_NS


def _fills(account: Account, pairs: Pairs, known: Known) -> RestFlow[tuple[AnyReport, ...]]:
    # Merged fills of a taker order would have other ids than the stream's (sheet section 6).
    rows = yield from _history(account, "TradesHistory", "trades", known, consolidate_taker="false")
    notices = yield from learn(pairs, wanted_by(rows.values()), read_pairs)

    def read(item: tuple[str, Row]) -> Iterator[AnyReport]:
        trade_id, row = item
        yield from read_trade(trade_id, row, pairs.of(row), source="rest")

    return (*notices, *each(rows.items(), read))


def _closed_orders(account: Account, pairs: Pairs, known: Known) -> RestFlow[tuple[AnyReport, ...]]:
    rows = yield from _history(account, "ClosedOrders", "closed", known, closetime="close")
    return (yield from read_orders(pairs, rows))


def _history(
    account: Account, method: str, key: str, known: Known, **parameters: str
) -> RestFlow[dict[str, Row]]:
    """All pages. A fixed end keeps rows that come meanwhile from shifting the pages."""
    rows: dict[str, Row] = {}
    window = {
        "start": _seconds(known.since_ns - OVERLAP_NS),
        "end": _seconds(known.until_ns + OVERLAP_NS),
    }
    offset = 0
    while True:
        result = yield from ask(account, method, **window, **parameters, ofs=str(offset))
        page = result[key] or {}
        rows |= page
        offset += len(page)
        if len(page) < PAGE or offset >= int(result.get("count") or 0):
            return rows


def _seconds(nanos: int) -> str:
    return f"{nanos // 10**9}.{nanos % 10**9 // 1000:06d}"


def read_orders(
    pairs: Pairs, rows: Mapping[str, Row], source: Source = "rest"
) -> RestFlow[tuple[AnyReport, ...]]:
    """Reports of REST's rows, by order id; asks for the names of pairs that are new."""
    notices = yield from learn(pairs, wanted_by(rows.values()), read_pairs)

    def read(item: tuple[str, Row]) -> Iterator[AnyReport]:
        order_id, row = item
        yield from read_order(order_id, row, pairs.of(row), source=source)

    return (*notices, *each(rows.items(), read))


def read_pairs(asked: Sequence[str], aclass: str) -> RestFlow[dict[str, Row]]:
    """AssetPairs of these names, or of all. Raises UnknownPair where one is none of this class."""
    query = {"pair": ",".join(asked)} if asked else {}
    if aclass != ORDINARY:
        query["aclass_base"] = aclass
    path = f"/0/public/AssetPairs?{urlencode(query)}"
    response = yield Call(
        build=lambda _: HttpRequest(method="GET", path=path), name="AssetPairs", cost=0.0
    )
    rows = read_result(response, "AssetPairs")
    return {key: row for key, row in rows.items() if isinstance(row, dict)}

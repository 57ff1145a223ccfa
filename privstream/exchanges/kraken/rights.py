"""What a Kraken key may do: asked for at once, or one harmless call per right.

The one rule: of the answer only the list of permissions is read, since it also holds the key
and the account's number.
Source: docs.kraken.com, GetApiKeyInfo, and the permissions that each private call names;
checked 2026-11-20.
"""

from typing import Any

from privstream.exchanges.base import Right, probed
from privstream.exchanges.kraken.rest import ANSWERS, ask
from privstream.model.account import Account
from privstream.model.errors import Refused
from privstream.model.rest import RestFlow

BLIND = "what happens while a connection is down cannot be read back: gaps say complete: false"
READ = {
    "create-ws-token": Right("Access WebSockets API", without="nothing can be streamed"),
    "query-funds": Right("Query funds", without="balances cannot be streamed or compared"),
    "query-open-trades": Right(
        "Query open orders & trades", without="open orders cannot be streamed or looked up"
    ),
    "query-closed-trades": Right("Query closed orders & trades", without=BLIND),
}
MORE = {
    "modify-trades": Right("Create & modify orders", use="trade"),
    "close-trades": Right("Cancel & close orders", use="trade"),
    "withdraw-funds": Right("Withdraw funds", use="withdraw"),
    "add-withdraw-address": Right("Add withdrawal addresses", use="withdraw"),
    "update-withdraw-address": Right("Update withdrawal addresses", use="withdraw"),
}
PROBES = {
    "query-funds": "BalanceEx",
    "query-open-trades": "OpenOrders",
    "query-closed-trades": "ClosedOrders",
}


def rights_of(account: Account) -> RestFlow[tuple[Right, ...]]:
    """All rights that matter. GetApiKeyInfo itself takes none."""
    try:
        result = yield from ask(account, "GetApiKeyInfo")
    except Refused as refusal:
        if type(refusal) is not Refused:  # the key's fault
            raise
        # An older deployment, which answers EGeneral:Unknown method.
        return (yield from _probed(account))
    held = _permissions(result)
    return tuple(_told(right, name in held) for name, right in {**READ, **MORE}.items())


def _permissions(result: dict[str, Any]) -> frozenset[str]:
    permissions = ANSWERS.read_list(result.get("permissions"), "GetApiKeyInfo", "permissions")
    return frozenset(map(str, permissions))


def _told(right: Right, held: bool) -> Right:  # noqa: FBT001 - the one thing that is told
    return Right(right.name, held, right.use, right.without)


def _probed(account: Account) -> RestFlow[tuple[Right, ...]]:
    """Each right to read by a call that takes it; the others cannot be tried harmlessly."""
    found = []
    for name, method in PROBES.items():
        found.append((yield from probed(READ[name], ask(account, method))))
    return (*found, *MORE.values())

"""GetApiKeyInfo: what the simulated Kraken tells of the key itself.

Written from docs.kraken.com, GetApiKeyInfo (checked 2026-11-20): times are seconds as text,
"0" where there is none.
"""

from collections.abc import Iterable

PERMISSIONS = {
    "funds": "query-funds",
    "open_orders": "query-open-trades",
    "closed_orders": "query-closed-trades",
    "ledger": "query-ledger",
    "websocket": "create-ws-token",
    "trade": "modify-trades",
    "cancel": "close-trades",
    "withdraw": "withdraw-funds",
}
"""A right of the simulator's key, and Kraken's word for it; its other rights are told as they are."""


def api_key_info(key: str, rights: Iterable[str], nonce: str) -> dict[str, object]:
    """The `result` of the call."""
    return {
        "apiKeyName": "simulated",
        "apiKey": key,
        "nonce": nonce,
        "nonceWindow": 0,
        "permissions": sorted(PERMISSIONS.get(right, right) for right in rights),
        "iban": "AA00 N84G SIMU LATE",
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": "1780000000",
        "modifiedTime": "1780000000",
        "ipAllowlist": [],
        "lastUsed": None,
    }

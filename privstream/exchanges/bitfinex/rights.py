"""What a Bitfinex key may do: each section's rights to read and to write, in one answer.

Source: docs.bitfinex.com/reference/key-permissions (checked 2026-11-30).
"""

from privstream.exchanges.base import Right
from privstream.exchanges.bitfinex.rest import ask
from privstream.model.account import Account
from privstream.model.rest import RestFlow

COLUMNS = 3
READ = {
    "orders": "orders and trades can neither be streamed nor read back",
    "wallets": "balances cannot be streamed",
    "positions": "positions cannot be streamed",
    "history": "what happens while a connection is down may not be read back",
}
WRITE = {
    "orders": Right("orders: write", use="trade"),
    "positions": Right("positions: write", use="trade"),
    "funding": Right("funding: write", use="trade"),
    "wallets": Right("wallets: write", use="withdraw"),
    "withdraw": Right("withdraw: write", use="withdraw"),
    "ui_withdraw": Right("ui_withdraw: write", use="withdraw"),
    "bfxpay": Right("bfxpay: write", use="withdraw"),
}


def rights_of(account: Account) -> RestFlow[tuple[Right, ...]]:
    """Rows of `[SECTION, READ, WRITE]`, 1 for what the key may."""
    rows = yield from ask(account, "auth/r/permissions")
    told = [row for row in rows if isinstance(row, list) and len(row) >= COLUMNS]
    read = {str(section) for section, may_read, *_ in told if may_read}
    write = {str(section) for section, _, may_write, *_ in told if may_write}
    return (
        *(Right(f"{name}: read", name in read, "read", lack) for name, lack in READ.items()),
        *(Right(right.name, name in write, right.use) for name, right in WRITE.items()),
    )

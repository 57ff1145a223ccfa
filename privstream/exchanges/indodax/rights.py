"""What an Indodax key may do, as far as reading tells: no call lists a key's rights.

Source: protocols/indodax.md section 6 (checked 2026-11-20).
"""

from privstream.exchanges.base import Right, probed
from privstream.exchanges.indodax.rest import ask
from privstream.model.account import Account
from privstream.model.rest import RestFlow


def rights_of(account: Account) -> RestFlow[tuple[Right, ...]]:
    """Whether it may view; trying the others would not be harmless."""
    without = "balances, open orders and histories cannot be read: gaps say complete: false"
    view = yield from probed(Right("view", without=without), ask(account, "getInfo"))
    return (view, Right("trade", use="trade"), Right("withdraw", use="withdraw"))

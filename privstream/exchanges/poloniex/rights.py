"""What a Poloniex key may do, as far as reading tells: no call lists a key's rights.

Source: https://api-docs.poloniex.com/spot/api, checked 2026-11-20.
"""

from privstream.exchanges.base import Right, probed
from privstream.exchanges.poloniex.rest import ask
from privstream.model.account import Account
from privstream.model.rest import RestFlow


def rights_of(account: Account) -> RestFlow[tuple[Right, ...]]:
    """Whether it may read; trying the others would not be harmless."""
    right = Right("Read", without="nothing can be streamed")
    read = yield from probed(right, ask(account, "/accounts/balances"))
    return (read, Right("Trade", use="trade"), Right("Withdraw", use="withdraw"))

"""What a Zerocap key may do, as far as reading tells: rights of keys are not documented.

Source: https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from privstream.exchanges.base import Right, probed
from privstream.exchanges.zerocap.rest import ask, fetch_orders
from privstream.model.account import Account
from privstream.model.rest import RestFlow


def rights_of(account: Account) -> RestFlow[tuple[Right, ...]]:
    """Whether it may read orders and balances; trying more would not be harmless."""
    balances = Right("reading balances", without="balances cannot be streamed")
    orders = Right(
        "reading orders",
        without="what happens while a connection is down cannot be read back: "
        "gaps say complete: false",
    )
    return (
        (yield from probed(balances, ask(account, "GET", "get_balances"))),
        (yield from probed(orders, fetch_orders(account, status="open"))),
        Right("placing orders", use="trade"),
        Right("withdrawals", use="withdraw"),
    )

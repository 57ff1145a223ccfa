"""Carries out `order place`, `cancel`, `get` and `list`.

The one rule: nothing that changes the account is sent before a person, or --yes, agreed
to what was shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast, get_args

from privstream.app import amounts
from privstream.app.durations import moment
from privstream.app.environment import Environment
from privstream.app.order_account import OrderAccount, OrderRequest
from privstream.app.order_text import asked_to_cancel_all, listed, moments, money, shown
from privstream.app.order_worth import check_limit, worth
from privstream.app.place_order import Placing, Wait, one_of, word
from privstream.connection.orders.broker import Broker
from privstream.connection.orders.canceling import Cancellation, Outcome
from privstream.connection.orders.placing import Placement
from privstream.model.errors import Exit, UsageError
from privstream.model.events import Order, Side
from privstream.model.order_entry import Ticket, TimeInForce

_WHOLE = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What `place` is told of the order, as it was typed."""

    symbol: str
    side: str
    order_type: str
    quantity: str
    price: str | None = None
    stop_price: str | None = None
    tif: str | None = None
    client_id: str | None = None
    validate: bool = False
    yes: bool = False
    wait: str | None = None
    timeout: str = "5m"
    own: Mapping[str, str] = field(default_factory=dict)
    """The exchange's own options."""


def place(environment: Environment, request: OrderRequest, terms: Terms) -> int:
    """Place an order; returns the exit code."""
    ticket = as_ticket(terms)
    waits = Wait.of(terms.wait, terms.timeout, validates=terms.validate)
    asks = not (terms.yes or terms.validate)
    with OrderAccount(environment, request, changes=True, asks=asks) as orders:
        ready = orders.ready(ticket)
        orders.show(shown(ready, orders.title, orders.account.name), asks=asks)
        _look_at_money(orders, ready, asks=asks)
        if asks:
            _agree(environment, "Place this order?")
        placement = Placement(
            orders.broker, ready, has_fresh_id=terms.client_id is None and _has_id(ready)
        )
        return Placing(orders, placement, waits).run()


def cancel(
    environment: Environment,
    request: OrderRequest,
    *,
    names: Sequence[str] | None,
    every: bool,
    yes: bool,
) -> int:
    """Cancel orders; returns the exit code."""
    if bool(names) == every:
        wrong = "ids and --all say two different things" if every else "which orders?"
        raise UsageError(wrong, "name ids, or say --all")
    if any(not name.strip() for name in names or ()):
        raise UsageError("an id is empty")
    asks = every and not yes
    with OrderAccount(environment, request, changes=True, asks=asks) as orders:
        what = asked_to_cancel_all(orders.title, orders.account.name) if every else ""
        orders.show(what, asks=asks)
        if asks:
            standing = orders.broker.ask(orders.broker.entry.open_orders({}))
            for line in listed(event for event in standing if isinstance(event, Order)):
                orders.console.say(line, also_when_quiet=True)
            _agree(environment, "Cancel them?")
        cancellation = Cancellation(orders.broker, tuple(names or ()))
        outcome = orders.watched(cancellation.run, cancellation.doubt)
        return _conclude_cancel(orders, outcome, every=every)


def _look_at_money(orders: OrderAccount, ticket: Ticket, *, asks: bool) -> None:
    """Say what it comes to before it is asked about; refuse what is above the account's limit."""
    if ticket.validate or not (asks or orders.max_order):
        return
    view = orders.look_at_market(ticket)
    if asks:
        orders.console.say(money(ticket, view), also_when_quiet=True)
        for line in moments(ticket, orders.broker.by_exchange()):
            orders.console.say(line, also_when_quiet=True)
    symbol = orders.symbol_of(ticket)
    said = check_limit(worth(ticket, view), symbol, orders.max_order, orders.account.name)
    if said is not None:
        orders.console.say(said, also_when_quiet=asks)


def get(environment: Environment, request: OrderRequest, *, name: str) -> int:
    """Print an order; returns the exit code."""
    if not name.strip():
        raise UsageError("the order's id is empty")
    with OrderAccount(environment, request) as orders:
        orders.show()
        orders.print(orders.broker.get(name))
    return Exit.DONE


def list_orders(
    environment: Environment,
    request: OrderRequest,
    typed: Mapping[str, str],
    kinds: Mapping[str, str],
) -> int:
    """Print the open orders, or those that the filters ask for; returns the exit code."""
    for option, text in typed.items():
        if not text.strip():
            raise UsageError(f"--{option.replace('_', '-')} is empty")
    with OrderAccount(environment, request) as orders:
        filters = {
            name: _filter(name, text, kinds[name], orders.broker) for name, text in typed.items()
        }
        orders.show()
        said = orders.broker.ask(orders.entry.open_orders(filters))
        orders.print(said)
        if not any(isinstance(event, Order) for event in said):
            orders.say("no such order" if filters else "no open order")
    return Exit.DONE


# --- what was typed ------------------------------------------------------------------------


def as_ticket(terms: Terms) -> Ticket:
    """The ticket, every amount exact. Raises UsageError."""
    kind = word(terms.order_type)
    price, stop = terms.price, terms.stop_price
    if price is None and (kind == "limit" or kind.endswith("_limit")):
        raise UsageError(f"a {kind.replace('_', '-')} order needs --price")
    if price is not None and kind == "market":
        raise UsageError("a market order has no --price", "--type limit has one")
    if not terms.symbol.strip():
        raise UsageError("--symbol is empty", "write it like BTC/EUR")
    return Ticket(
        symbol=terms.symbol.strip(),
        side=cast("Side", one_of(terms.side.lower(), get_args(Side), "--side")),
        order_type=kind,
        quantity=amounts.quantity(terms.quantity, "--quantity"),
        price=None if price is None else amounts.price(price, "--price"),
        stop_price=None if stop is None else amounts.price(stop, "--stop-price"),
        time_in_force=None
        if terms.tif is None
        else cast("TimeInForce", one_of(word(terms.tif), get_args(TimeInForce), "--tif")),
        client_order_id=terms.client_id,
        validate=terms.validate,
        options=terms.own,
    )


def _filter(name: str, text: str, kind: str, broker: Broker) -> str | int:
    if kind == "moment":
        return moment(text, broker.client.clock.now().wall_ns)
    if kind == "whole":
        if not _WHOLE.fullmatch(text):
            raise UsageError(f"--{name} takes a whole number above 0, of at most 9 digits")
        return int(text)
    return text.strip()


def _agree(environment: Environment, question: str) -> None:
    if not environment.person.yes(question, default=False):
        raise UsageError("not done: you said no", "nothing was sent")


def _has_id(ticket: Ticket) -> bool:
    return ticket.client_order_id is not None


# --- canceling -----------------------------------------------------------------------------


def _conclude_cancel(orders: OrderAccount, outcome: Outcome, *, every: bool) -> int:
    orders.print(outcome.ended)
    for problem in outcome.problems:
        orders.fail(problem)
    if outcome.problems:
        return max(problem.exit for problem in outcome.problems)
    if every and not outcome.ended:
        orders.say("there was no open order")
    return Exit.DONE

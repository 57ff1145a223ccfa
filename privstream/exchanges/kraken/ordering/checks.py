"""Whether a ticket can be right at all, for the protocol that will carry it.

The one rule: what belongs to another type of order is refused, never left out silently.
Source: docs.kraken.com add_order and addOrder (checked 2026-11-20).
"""

from collections.abc import Callable

from privstream.exchanges.kraken.ordering import terms
from privstream.exchanges.kraken.ordering.terms import TRAILING, TRIGGERED, WITH_LIMIT, Price
from privstream.model.errors import UsageError
from privstream.model.nearest import suggestion
from privstream.model.order_entry import Ticket


def check(ticket: Ticket, *, v1: bool) -> None:
    """Raise UsageError where Kraken could only refuse the ticket, or misread it."""
    kind = ticket.order_type
    if kind not in terms.TYPES:
        shown = [one.replace("_", "-") for one in terms.TYPES]
        hint = suggestion(kind.replace("_", "-"), shown)
        raise UsageError(f"Kraken has no order type {kind!r}", hint)
    unknown = set(ticket.options) - {option.name for option in terms.OPTIONS}
    if unknown:
        raise UsageError(f"Kraken has no option {min(unknown)!r} for orders")
    terms.number(ticket.quantity, "--quantity")
    _check_prices(ticket)
    _check_trailing(ticket)
    _check_iceberg(ticket, v1=v1)
    _check_times(ticket, v1=v1)
    _check_flags(ticket)
    _check_identity(ticket, v1=v1)
    terms.leverage(ticket)
    _check_closing(ticket)
    if not v1:
        _check_v2_prices(ticket)


def _listed(types: tuple[str, ...]) -> str:
    return ", ".join(name.replace("_", "-") for name in types)


def _check_prices(ticket: Ticket) -> None:
    kind = ticket.order_type
    _needed(ticket.price, kind in WITH_LIMIT, kind, "--price")
    _needed(ticket.stop_price, kind in TRIGGERED, kind, "--stop-price")
    if ticket.price is not None:
        _limit(kind)(ticket.price, "--price")
    if ticket.stop_price is not None:
        terms.price(ticket.stop_price, "--stop-price")


def _limit(kind: str) -> Callable[[str, str], Price]:
    """How the limit of such an order is read: a trailing stop has an offset from its trigger."""
    return terms.offset if kind in TRAILING else terms.price


def _needed(value: str | None, wanted: bool, kind: str, option: str) -> None:  # noqa: FBT001 - a table in code
    shown = kind.replace("_", "-")
    if wanted and value is None:
        raise UsageError(f"an order of type {shown} needs {option}")
    if not wanted and value is not None:
        raise UsageError(f"an order of type {shown} has no {option}")


def _check_trailing(ticket: Ticket) -> None:
    offset = ticket.options.get("trailing_offset")
    _needed(offset, ticket.order_type in TRAILING, ticket.order_type, "--trailing-offset")
    if offset is not None and _distance(offset, "--trailing-offset").sign in {"-", "#"}:
        raise UsageError("--trailing-offset is a distance and has no sign")


def _distance(text: str, what: str) -> Price:
    found = terms.offset(text, what)
    terms.number(found.digits, what)
    return found


def _check_iceberg(ticket: Ticket, *, v1: bool) -> None:
    shown = ticket.options.get("display_quantity")
    is_iceberg = ticket.order_type == "iceberg"
    if is_iceberg and v1:
        raise UsageError("Kraken's protocol v1 has no iceberg orders", "use --protocol v2")
    _needed(shown, is_iceberg, ticket.order_type, "--display-quantity")
    if shown is not None:
        terms.number(shown, "--display-quantity")


def _check_times(ticket: Ticket, *, v1: bool) -> None:
    terms.start(ticket)
    expiry, force = terms.expiry(ticket), terms.time_in_force(ticket)
    if force == "gtd" and expiry is None:
        raise UsageError("a gtd order needs --expire")
    if expiry is not None and force != "gtd":
        raise UsageError(f"--expire is for gtd orders, not for {force}")
    if force == "fok" and v1:
        raise UsageError("Kraken's protocol v1 has no fok orders", "use --protocol v2")
    if force == "fok" and ticket.order_type != "limit":
        raise UsageError("on Kraken only limit orders can be fok")
    if force == "ioc" and ticket.order_type != "limit":
        raise UsageError("on Kraken only limit orders can be ioc")


def _check_flags(ticket: Ticket) -> None:
    named = terms.flags(ticket)
    if "post" in named and ticket.order_type not in WITH_LIMIT:
        raise UsageError("only an order with a limit price can be post-only")
    if "post" in named and terms.time_in_force(ticket) in {"ioc", "fok"}:
        raise UsageError("an order that is post-only cannot also be filled at once")
    if "fcib" in named and "fciq" in named:
        raise UsageError("--flags: the fee is either in the base (fcib) or the quote currency")
    is_market_buy = ticket.order_type == "market" and ticket.side == "buy"
    if "viqc" in named and not is_market_buy:
        raise UsageError("--flags viqc (quantity in the quote currency) is for market buys")
    if "viqc" in named and "leverage" in ticket.options:
        raise UsageError("--flags viqc and --leverage exclude each other")


def _check_identity(ticket: Ticket, *, v1: bool) -> None:
    reference, client_id = terms.userref(ticket), ticket.client_order_id
    if reference is not None and client_id is not None:
        protocol = "v1" if v1 else "v2"
        raise UsageError(f"with Kraken's {protocol} --userref and --client-id exclude each other")
    if client_id is not None and not (
        terms.UUID.fullmatch(client_id) or terms.SHORT_CLIENT_ID.fullmatch(client_id)
    ):
        raise UsageError(
            "Kraken takes no such client id", "a UUID, or up to 18 letters, digits and hyphens"
        )


def _check_closing(ticket: Ticket) -> None:
    kind = ticket.options.get("close_type", "").replace("-", "_")
    limit, trigger = ticket.options.get("close_price"), ticket.options.get("close_stop_price")
    if not kind:
        if limit is not None or trigger is not None:
            raise UsageError("--close-price and --close-stop-price need --close-type")
        return
    if kind not in terms.CLOSING_TYPES:
        known = _listed(tuple(sorted(terms.CLOSING_TYPES)))
        raise UsageError(f"--close-type {kind!r} closes nothing", f"known are: {known}")
    closing = f"closing {kind}"
    _needed(limit, kind in WITH_LIMIT, closing, "--close-price")
    _needed(trigger, kind in TRIGGERED | TRAILING, closing, "--close-stop-price")
    if limit is not None:
        _limit(kind)(limit, "--close-price")
    if trigger is not None and kind not in TRAILING:
        terms.price(trigger, "--close-stop-price")
    elif trigger is not None and _distance(trigger, "--close-stop-price").sign in {"-", "#"}:
        raise UsageError("--close-stop-price of a trailing stop is a distance and has no sign")


def _check_v2_prices(ticket: Ticket) -> None:
    """v2 takes an offset as a trigger, and as the limit of a trailing stop, nowhere else."""
    closing = ticket.options.get("close_type", "").replace("-", "_")
    for option, text, kind in (
        ("--price", ticket.price, ticket.order_type),
        ("--close-price", ticket.options.get("close_price"), closing),
    ):
        if text is None or kind in TRAILING:
            continue
        if not terms.price(text, option).is_absolute:
            raise UsageError(
                f"Kraken's v2 takes no relative {option} on a {kind.replace('_', '-')} order",
                "use --protocol v1",
            )
    for text in (ticket.price, ticket.stop_price, ticket.options.get("close_stop_price")):
        if text is not None and "#" in text:
            raise UsageError("Kraken's v2 takes no price with #", "write + or -")

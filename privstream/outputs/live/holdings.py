"""The panes of balances and positions. Pure."""

from privstream.model.events import Balance, Position
from privstream.model.exact import normal
from privstream.outputs.layout import Span
from privstream.outputs.live.choices import Name
from privstream.outputs.live.looks import Look, age, amount, clock, name, signed
from privstream.outputs.live.pane import (
    ACCOUNT,
    Pane,
    Row,
    account_of,
    names_of,
    side_of,
    style_of,
    symbol_of,
)
from privstream.outputs.live.picture import Kept, Picture
from privstream.outputs.live.table import NOTHING, Column


def _balances(picture: Picture) -> list[Kept[Balance]]:
    def order(kept: Kept[Balance]) -> tuple[bool, str, str, str]:
        event = kept.event
        is_empty = all(normal(text) in {"", "0"} for text in (event.total, event.available))
        return is_empty, event.account, event.currency, event.wallet or ""

    return sorted(picture.balances.values(), key=order)


def _balance(kept: Kept[Balance], picture: Picture, look: Look) -> Row:
    balance = look.seen(kept.event)
    style = style_of(kept, picture, look)
    wallet = name(balance.wallet, "dim")
    if balance.wallet is None and _is_outdated(balance, picture):
        # Kraken lists one sum over all wallets, and then tells of each wallet.
        style = "faded"
        wallet = (Span("all, at ", "dim"), clock(balance.received, look))
    cells = (
        account_of(balance, look),
        name(balance.currency, "subject"),
        amount(balance.total, "strong"),
        amount(balance.available) if balance.available is not None else NOTHING,
        amount(balance.hold) if normal(kept.event.hold) not in {"", "0"} else NOTHING,
        signed(balance.change) if style == "changed" else NOTHING,
        wallet,
    )
    return Row(cells, style)


def _is_outdated(total: Balance, picture: Picture) -> bool:
    """One of the wallets that it sums up has changed since."""
    return (total.account, total.currency) in picture.told_by_wallet


BALANCES = Pane(
    Name.BALANCES,
    "Balances",
    "balances",
    (
        ACCOUNT,
        Column("currency"),
        Column("total", right=True),
        Column("available", right=True, yields=1),
        Column("hold", right=True, yields=2),
        Column("change", right=True, yields=4),
        Column("wallet", yields=3),
    ),
    _balances,
    _balance,
    lambda kept: (kept.event.account, kept.event.currency, kept.event.wallet),
)


def _positions(picture: Picture) -> list[Kept[Position]]:
    def order(kept: Kept[Position]) -> tuple[str, str]:
        return kept.event.account, kept.event.symbol or ""

    return sorted(picture.positions.values(), key=order)


def _position(kept: Kept[Position], picture: Picture, look: Look) -> Row:
    position = look.seen(kept.event)
    since = look.seconds_since(position.received)
    cells = (
        account_of(position, look),
        side_of(position.side),
        symbol_of(position),
        amount(position.quantity, "strong"),
        amount(position.entry_price),
        signed(position.unrealized_pnl),
        # A profit that floats is no event: it is as old as the last one.
        (Span(f"{age(since)} ago", "dim"),) if since is not None else NOTHING,
        amount(position.liquidation_price) if position.liquidation_price else NOTHING,
        amount(position.leverage) if position.leverage else NOTHING,
        name(position.position_id, "id"),
    )
    return Row(cells, style_of(kept, picture, look))


POSITIONS = Pane(
    Name.POSITIONS,
    "Positions",
    "positions",
    (
        ACCOUNT,
        Column("side"),
        Column("symbol"),
        Column("quantity", right=True),
        Column("entry", right=True),
        Column("profit", right=True),
        Column("told", right=True, yields=2),
        Column("liquidation", right=True, yields=1),
        Column("leverage", right=True, yields=4),
        Column("position id", yields=3),
    ),
    _positions,
    _position,
    lambda kept: (*names_of(kept.event), kept.event.side, kept.event.position_id),
)

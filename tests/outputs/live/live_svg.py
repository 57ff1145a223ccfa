"""The picture of the view in README: what the view's own code draws, written by Rich's own export.

python -m tests.outputs.live.live_svg    writes it anew; a test says when that is due.
"""

import html
import re
from io import StringIO
from pathlib import Path

from rich.console import Console

from privstream.model.events import AnyEvent
from privstream.outputs.live.drawing import Lines
from privstream.outputs.live.heads import Head
from privstream.outputs.live.picture import Picture
from privstream.outputs.live.screen import Screen
from tests.outputs.live.shown import CLOCK, drawn, like, texts
from tests.outputs.output_events import BALANCE, GAP, POSITION, order, status, trade

FILE = Path(__file__).with_name("live.svg")
CELLS, LINES = 112, 34
TITLE = "privstream watch all --live"
EVERY = ("orders", "trades", "balances", "positions")
_LAGS = (0.03, 0.04, 0.03, 0.09, 0.3, 0.04, 0.05, 0.03, 0.12, 0.04)


def at(clock: str) -> str:
    return f"2026-11-20T{clock}.000000Z"


def when(clock: str) -> dict[str, str]:
    """Told 80 ms later."""
    return {"time": at(clock), "received": at(clock).replace(".000", ".080")}


def told() -> list[AnyEvent]:
    """A morning at a desk of three accounts."""
    kraken = [
        order(created=at("11:19:40"), source="snapshot"),
        order(
            order_id="O7K2QD-3XWZP-V5RLTA",
            symbol="ETH/EUR",
            side="sell",
            price="3120.55",
            quantity="1.20000000",
            filled="0",
            created=at("09:02:11"),
            source="snapshot",
        ),
        order(
            order_id="OLPQ4R-WE7TT-2MCH6J",
            symbol="SOL/EUR",
            quantity="30.00000000",
            price="141.20",
            filled="27.55000000",
            created=at("11:31:18"),
            source="snapshot",
        ),
        trade(**when("11:31:57"), quantity="0.00400000"),
        trade(
            **when("11:29:03"),
            trade_id="T2",
            symbol="SOL/EUR",
            price="140.90",
            quantity="27.55000000",
            cost="3881.79500",
            fee="6.21090",
            order_id="OLPQ4R-WE7TT-2MCH6J",
        ),
        like(BALANCE, **when("11:31:57")),
        like(BALANCE, currency="BTC", total="0.81400000", change="0.00400000", source="snapshot"),
    ]
    bitfinex = [
        order(
            order_id="149331209871",
            symbol="DOGE/USD",
            exchange="bitfinex",
            side="sell",
            price="0.1612",
            quantity="9000",
            filled="2250",
            created=at("11:05:00"),
            source="snapshot",
        ),
        trade(
            **when("11:30:41"),
            exchange="bitfinex",
            order_id="149331209871",
            side="sell",
            symbol="DOGE/USD",
            quantity="2250",
            price="0.1612",
            cost="362.7",
            fee="0.3627",
            fee_currency="USD",
            liquidity="maker",
        ),
        like(POSITION, time=None, received=at("11:31:31")),
        like(
            BALANCE,
            currency="USD",
            wallet="margin",
            total="5210.44",
            available="4012.10",
            hold="1198.34",
            source="snapshot",
        ),
        like(
            GAP,
            complete=False,
            received=at("11:30:02"),
            detail="the key lacks the right to read the history of orders",
        ),
    ]
    zerocap = [
        order(
            order_id="568af4dd-079d-4e9c-8916-564fceff16bd",
            exchange="zerocap",
            symbol="USDT/AUD",
            price="1.5320",
            quantity="25000",
            filled="0",
            created=at("08:45:00"),
            source="snapshot",
        ),
        like(BALANCE, currency="AUD", wallet="trading", total="88120.05", source="snapshot"),
    ]
    desks = {"kraken": kraken, "bitfinex": bitfinex, "zerocap": zerocap}
    return [like(event, account=name) for name, events in desks.items() for event in events]


def picture() -> Picture:
    """What stands after it."""
    made = Picture(dict.fromkeys(("kraken", "bitfinex", "zerocap"), EVERY))
    for name, health in made.health.items():
        made.update(like(status("live"), account=name), 0.0)
        health.heard = CLOCK - 1
        health.lags.extend((str(n), lag + len(name) / 99) for n, lag in enumerate(_LAGS))
        health.reconnects = len(name) % 3
    made.take([event for event in told() if event.source == "snapshot"], 0.0)
    made.take([event for event in told() if event.source != "snapshot"], CLOCK - 1)
    lost = like(
        status("retrying", detail="connection reset by peer", attempt=2, retry_in=4.0),
        account="zerocap",
    )
    made.update(lost, CLOCK)
    made.health["zerocap"].heard = CLOCK - 41
    return made


def lines() -> list[str]:
    """What is to be read in it."""
    return texts(shown().lines)


def shown() -> Screen:
    head = Head("privstream all")
    return drawn(picture(), None, head, cells=CELLS, lines=LINES, many=True)


def svg() -> str:
    """The picture."""
    console = Console(
        record=True,
        width=CELLS,
        height=LINES,
        file=StringIO(),
        force_terminal=True,
        color_system="standard",
        legacy_windows=False,
        _environ={},
    )
    console.print(Lines(shown().lines))
    return console.export_svg(title=TITLE, unique_id="live")


def words_of(picture: str) -> str:
    """All the text of a picture, without blanks: how it is cut into pieces is Rich's own."""
    pieces = re.findall(r"<text [^>]*>([^<]*)</text>", picture)
    return "".join("".join(html.unescape(piece).split()) for piece in pieces)


if __name__ == "__main__":
    FILE.write_text(svg())

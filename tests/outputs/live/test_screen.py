"""What a person reads on the screen, at every size."""

import re

import pytest

from privstream.model.events import AnyEvent
from privstream.outputs.live.choices import Choices, Name
from privstream.outputs.live.heads import Head
from privstream.outputs.live.picture import Picture, Said
from privstream.outputs.live.table import cell_width
from tests.outputs.live.shown import CLOCK, drawn, like, picture_of, read, styles, text_of, texts
from tests.outputs.output_events import (
    ALL,
    BALANCE,
    GAP,
    NOTICE,
    ORDER,
    POSITION,
    PRICE,
    TRADE,
    order,
    status,
    trade,
)

SIZES = [(60, 15), (80, 24), (132, 40), (200, 50)]
EVERY = ("orders", "trades", "balances", "positions", "prices")
LONG = "8f0e1d2c-3b4a-5968-7786-95a4b3c2d1e0"


def orders(count: int) -> list[AnyEvent]:
    return [order(order_id=f"O{n:05}-BW3P3-BUCMWZ", source="snapshot") for n in range(count)]


@pytest.mark.parametrize(("cells", "lines"), SIZES)
def test_every_size_is_filled_and_not_left(cells: int, lines: int) -> None:
    busy = picture_of(*ALL, *orders(100), channels=EVERY)
    for picture in (busy, picture_of(channels=EVERY), picture_of(live=False)):
        shown = drawn(picture, cells=cells, lines=lines)
        assert len(shown.lines) == lines
        assert all(len(text) <= cells for text in texts(shown.lines))


@pytest.mark.parametrize(("cells", "lines"), SIZES)
def test_an_order_shows_its_age_whole_id_bar_and_distance(cells: int, lines: int) -> None:
    created = "2026-11-20T10:20:00.000000Z"
    picture = picture_of(trade(price="84000"), order(order_id=LONG, created=created))
    screen = read(picture, cells=cells, lines=lines)
    for part in ("1 h 12", "buy", "BTC/EUR", "0.01000000", "84210.10", "██░░", LONG, "~+0.25%"):
        assert part in screen


def test_an_age_that_is_not_told_is_longer_than_what_was_seen_of_it() -> None:
    assert ">5 min" in read(picture_of(order(time="2026-11-20T11:26:30.500000Z")))


@pytest.mark.parametrize(
    ("filled", "bar"),
    [
        ("0", "░░░░░ 0%"),
        ("0.00000001", "▏░░░░ 0%"),
        ("0.00999999", "████▉ 99%"),
        ("0.01000000", "█████ 100%"),
        (None, "????? "),
    ],
)
def test_a_bar_is_full_or_empty_only_where_the_order_is(filled: str | None, bar: str) -> None:
    assert bar in read(picture_of(order(filled=filled, source="snapshot")), cells=100)


def test_an_order_for_an_amount_of_money_is_filled_by_what_it_cost() -> None:
    terms = {"quantity": None, "quote_quantity": "100", "symbol": "ETH/IDR"}
    screen = read(picture_of(order(**terms, filled="1", cost="42")), cells=100)
    assert "100 IDR" in screen
    assert "42%" in screen
    assert " 0%" in read(picture_of(order(**terms, filled="0", cost=None)), cells=100)


def test_a_distance_is_from_the_other_side_of_the_book_where_that_is_known() -> None:
    quote = like(PRICE, symbol="BTC/EUR", bids=(("84000", "1"),), asks=(("84210.10", "1"),))
    assert "+0.00%" in read(picture_of(quote, order(price="84210.10")))
    assert "-1.43%" in read(picture_of(quote, order(price="83000")))
    assert "+1.19%" in read(picture_of(quote, order(side="sell", price="85000")))


def test_an_old_price_is_no_price_of_now() -> None:
    old = "2026-11-20T11:20:00.000000Z"
    quote = like(PRICE, symbol="BTC/EUR", received=old)
    assert "%" not in read(picture_of(quote, trade(time=old), order(filled=None)))


def test_the_last_fills_come_newest_first_whenever_they_were_told() -> None:
    late = trade(order_id="LATE", time="2026-11-20T11:31:00.000000Z")
    read_back = trade(order_id="EARLY", time="2026-11-20T09:00:00.000000Z", source="rest")
    screen = read(picture_of(late, read_back))
    assert screen.index("LATE") < screen.index("EARLY")
    assert "≈0.5" in read(picture_of(trade(price="0.5", estimated=("price",))))


def test_a_day_other_than_today_has_its_date() -> None:
    assert "11-19 23:00" in read(picture_of(trade(time="2026-11-19T23:00:00.000000Z")))


def test_what_changed_is_set_off_for_a_moment() -> None:
    picture = picture_of(like(BALANCE, source="snapshot"))
    picture.take([BALANCE], CLOCK - 1)
    [line] = [line for line in drawn(picture).lines if "10094.3938" in text_of(line)]
    assert styles(line, "10094.3938") == "strong+changed"
    assert "-337.7162" in text_of(line)
    [line] = [line for line in drawn(picture, monotonic=CLOCK + 9).lines if "EUR" in text_of(line)]
    assert line.style == ""
    assert "-337.7162" not in text_of(line)


def test_a_sum_over_all_wallets_is_not_shown_as_if_it_stood_once_a_wallet_has_changed() -> None:
    total = like(BALANCE, wallet=None, total="20000", source="snapshot")
    assert "all, at" not in read(picture_of(total))
    assert "20000 all, at 11:32:00" in read(picture_of(total, BALANCE))


def test_a_position_shows_its_profit_and_when_that_was_told() -> None:
    told = like(POSITION, received="2026-11-20T11:31:20.500000Z")
    screen = read(picture_of(told, channels=EVERY), cells=200)
    assert "short BTCF0/USTF0 0.5 91200 -12.5 40 s ago" in screen


@pytest.mark.parametrize("lines", range(15, 40))
def test_a_pane_that_is_seen_has_a_row_of_what_there_is(lines: int) -> None:
    lost = like(GAP, complete=False)
    picture = picture_of(*ALL, lost, channels=EVERY)
    picture.update(status("retrying", detail="reset by peer"), 1.0)
    screen = read(picture, cells=60, lines=lines)
    assert " to 0" not in screen
    assert "none of" not in screen


# --- health --------------------------------------------------------------------------------


def test_a_line_of_health_says_it_all() -> None:
    picture = picture_of(GAP, ORDER)
    picture.health["kraken"].heard = CLOCK - 3.2
    assert "● kraken live heard 3 s 1 gap complete 0 reconnects lag 377 ms ▄" in read(picture)


def test_an_incomplete_gap_is_missed_by_nobody() -> None:
    picture = picture_of(GAP, like(GAP, complete=False, detail="the key may not"))
    for cells, lines in SIZES:
        shown = drawn(picture, cells=cells, lines=lines).lines
        [line] = [line for line in shown[:4] if "2 gaps 1 INCOMPLETE" in text_of(line)]
        assert styles(line, "INCOMPLETE") == "alarm+"
        assert "INCOMPLETE" in text_of(line)


def test_a_gap_is_open_until_it_is_told_whether_all_was_read_back() -> None:
    """A stream that is live again looked whole for the minute in which REST may lag."""
    picture = picture_of()
    for state in ("retrying", "connecting", "catching_up", "live"):
        assert ("gap 1 open" in read(picture)) == (state != "retrying")
        picture.update(status(state), CLOCK)
    picture.take([like(GAP, cause="drift")], CLOCK)
    assert "1 gap complete 1 open" in read(picture)
    picture.take([GAP], CLOCK)
    assert "2 gaps complete 1 reconnect" in read(picture)


def test_it_says_why_an_account_is_not_live_and_when_it_is_tried_again() -> None:
    picture = picture_of(ORDER)
    picture.update(status("retrying", detail="reset by peer", attempt=4, retry_in=9.0), CLOCK)
    for cells, lines in SIZES:
        screen = read(picture, cells=cells, lines=lines)
        assert "↻ kraken retrying" in screen
        assert "again in 9 s, attempt 4: reset by peer" in screen
        assert "as last told: kraken not live" in screen


def test_reading_back_shows_how_far_it_is() -> None:
    picture = picture_of()
    picture.update(status("catching_up", detail="reading back: 3 pages, at 12:30 UTC"), CLOCK)
    assert "◐ kraken catching up" in read(picture, cells=60, lines=15)
    assert "reading back: 3 pages, at 12:30 UTC" in read(picture, cells=60, lines=15)


def test_what_an_account_that_is_not_live_told_is_faded() -> None:
    picture = picture_of(ORDER)
    picture.update(status("retrying"), CLOCK)
    [line] = [one for one in drawn(picture).lines if ORDER.order_id in text_of(one)]
    assert line.style == "faded"


def test_of_too_many_accounts_those_that_are_not_well_are_seen() -> None:
    names = [f"desk{n}" for n in range(30)]
    picture = Picture(dict.fromkeys(names, EVERY))
    for name in names:
        picture.update(like(status("live"), account=name), 0.0)
    assert "and 26 more, all live" in read(picture, cells=60, lines=15)
    picture.update(like(status("retrying"), account="desk29"), 0.0)
    picture.take([like(GAP, account="desk17", complete=False)], 0.0)
    screen = read(picture, cells=60, lines=15)
    assert "↻ desk29" in screen
    assert "desk17 live" in screen


def test_nothing_is_said_to_be_none_before_anybody_can_know() -> None:
    assert "not connected yet" in read(picture_of(live=False))
    assert "none so far" in read(picture_of())


@pytest.mark.parametrize(("cells", "lines"), [(59, 15), (60, 14), (20, 5), (8, 2), (1, 1)])
def test_a_window_that_is_too_small_says_so_and_shows_the_health(cells: int, lines: int) -> None:
    shown = drawn(picture_of(*orders(9)), cells=cells, lines=lines).lines
    assert len(shown) <= lines
    if lines >= 5:
        assert "kraken" in "".join(texts(shown))
        assert f"{cells}x{lines} is too small" in "".join(texts(shown))


# --- choices -------------------------------------------------------------------------------


def test_a_filter_lets_only_what_contains_it_through() -> None:
    choices = Choices()
    choices.filter = "doge"
    picture = picture_of(ORDER, order(order_id="D", symbol="DOGE/EUR"), BALANCE, TRADE, NOTICE)
    screen = read(picture, choices)
    assert "DOGE/EUR" in screen
    assert "BTC/EUR" not in screen
    assert "nothing contains doge" in screen
    assert "filter doge" in screen


def test_a_pane_is_scrolled_to_its_end_and_no_further() -> None:
    choices = Choices()
    picture = picture_of(*orders(50))
    choices.press("end")
    shown = drawn(picture, choices, cells=80, lines=24)
    page = shown.page
    assert shown.offsets[Name.ORDERS] == 50 - page
    assert f"{51 - page} to 50" in "\n".join(texts(shown.lines))
    assert "O00049" in "\n".join(texts(shown.lines))


def test_a_chosen_pane_is_seen_in_the_smallest_window_and_the_others_are_named() -> None:
    picture = picture_of(*ALL, channels=EVERY)
    for number, name in enumerate(("Open orders", "Fills", "Balances", "Positions"), start=1):
        choices = Choices()
        choices.offer(tuple(Name))
        choices.press(str(number))
        screen = read(picture, choices, cells=60, lines=15)
        assert f"▶ {number} {name}" in screen
        assert re.search(r"tab [A-Z]", screen)


def test_the_messages_tell_a_gap_whole() -> None:
    why = "the key lacks the right to read closed orders, so that none could be read back"
    picture = picture_of(like(GAP, complete=False, detail=why), NOTICE)
    choices = Choices()
    choices.offer((Name.ORDERS, Name.MESSAGES))
    choices.focus = Name.MESSAGES
    screen = read(picture, choices, cells=60, lines=32).replace("\n", " ")
    assert why in screen
    assert "INCOMPLETE" in screen
    assert "Invalid order: not enough balance" in screen


def test_help_says_what_every_key_does_in_the_smallest_window() -> None:
    choices = Choices()
    choices.press("?")
    picture = Picture(dict.fromkeys("abcdefg", EVERY))
    screen = read(picture, choices, cells=60, lines=15)
    for key in ("q, Ctrl-C", "p, space", "tab", "PgUp", "/", "lag", "█ more"):
        assert key in screen


def test_what_was_said_stands_in_the_last_line() -> None:
    head = Head("x", news=Said("", "kraken: the key was refused", "error"))
    shown = drawn(picture_of(), head=head)
    assert text_of(shown.lines[-1]) == "kraken: the key was refused"


# --- what others must not see, and what an exchange must not do ----------------------------

AMOUNTS = (
    "0.01000000",
    "84210.10",
    "0.00400000",
    "336.8404",
    "10094.3938",
    "337.7162",
    "91200",
    "12.5",
    "120111.5",
    "0.8758",
    "1.53",
    "42.5",
)
IDS = ("OQCLML", "TZX2WP", "3b241101", "149331")


@pytest.mark.parametrize(("cells", "lines"), SIZES)
def test_privacy_hides_amounts_and_ids_and_keeps_the_motion(cells: int, lines: int) -> None:
    quote = like(PRICE, symbol="BTC/EUR", asks=(("84000", "42.5"),))
    told = like(NOTICE, text="order OQCLML-BW3P3-BUCMWZ for 42.5 BTC")
    picture = picture_of(*ALL, quote, told, channels=EVERY)
    picture.take([BALANCE], CLOCK)
    for pane in Name:
        choices = Choices()
        choices.offer(tuple(Name))
        choices.focus = pane
        screen = read(picture, choices, cells=cells, lines=lines, masks=True)
        assert not [text for text in (*AMOUNTS, *IDS, "0.25%") if text in screen]
        assert "•••" in screen
        if pane is Name.ORDERS:
            assert "██" in screen


@pytest.mark.parametrize(("cells", "lines"), SIZES)
def test_whatever_the_values_no_line_is_longer_than_the_window(cells: int, lines: int) -> None:
    huge, tiny = "1" + "0" * 60, "0." + "0" * 60 + "1"
    picture = picture_of(
        order(symbol="比特币/欧元", order_id="O" * 250, quantity=tiny, price=huge),
        trade(symbol="🚀" * 90, quantity=huge, fee=tiny, fee_currency="币" * 90),
        trade(trade_id="2", price=tiny, order_id="\u0301" * 90),
        like(BALANCE, currency="\u200b" * 90, total=huge, wallet="w" * 250),
        like(POSITION, position_id="p" * 250, quantity=huge, unrealized_pnl=huge),
        like(NOTICE, text="x" * 250),
        like(GAP, complete=False, detail="\x1b[2J" * 50),
        channels=EVERY,
    )
    picture.update(status("retrying", detail="y" * 250), CLOCK)
    for name in Name:
        choices = Choices()
        choices.offer(tuple(Name))
        choices.focus = name
        shown = drawn(picture, choices, cells=cells, lines=lines).lines
        assert [cell_width(line.spans) for line in shown if cell_width(line.spans) > cells] == []
        assert any("…" in text for text in texts(shown))


@pytest.mark.parametrize(("cells", "lines"), SIZES)
def test_no_text_of_an_exchange_commands_the_terminal(cells: int, lines: int) -> None:
    evil = "\x1b]0;x\x07\x9b31m\u202e\r\n"
    picture = picture_of(
        order(symbol=evil, order_id=evil, order_type=evil, status="rejected", reason=evil),
        trade(symbol=evil, fee_currency=evil, order_id=evil),
        like(BALANCE, currency=evil, wallet=evil),
        like(POSITION, symbol=evil, position_id=evil),
        like(PRICE, symbol=evil),
        like(NOTICE, text=evil, code=evil),
        like(GAP, cause=evil, detail=evil),
        channels=EVERY,
    )
    picture.update(status("retrying", detail=evil), CLOCK)
    picture.said(Said("", evil, "error"))
    for pane in Name:
        choices = Choices()
        choices.offer(tuple(Name))
        choices.focus, choices.filter = pane, ""
        shown = drawn(
            picture, choices, Head(evil, news=Said("", evil, "error")), lines=lines, cells=cells
        )
        assert all(text_of(line).isprintable() for line in shown.lines)

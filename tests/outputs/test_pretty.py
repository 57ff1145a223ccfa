"""Lines for a person: aligned, whole, and commanding nothing."""

import os
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.model.events import AnyEvent, Recovered
from privstream.outputs.calendar import Calendar
from privstream.outputs.layout import flowing
from privstream.outputs.live.drawing import OVER
from privstream.outputs.pretty import STYLES, Pretty, colours
from privstream.outputs.privacy import masked
from privstream.outputs.safe_text import width
from tests.outputs.output_events import (
    ALL,
    BALANCE,
    GAP,
    NOTICE,
    NOW,
    ORDER,
    POSITION,
    PRICE,
    TRADE,
    order,
    pipe,
    read_all,
    status,
    trade,
)

SGR = re.compile(r"\x1b\[[0-9;]*m")
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
changed = msgspec.structs.replace


CALENDAR = Calendar(UTC, now=lambda: datetime.fromisoformat(NOW))


def lines(
    *events: AnyEvent,
    cells: int | None = None,
    accounts: Collection[str] = ("kraken", "other"),
    calendar: Calendar = CALENDAR,
) -> list[str]:
    pretty = Pretty(-1, accounts=accounts, line_width=lambda _: cells, calendar=calendar)
    return pretty.lines(events).splitlines()


def line(event: AnyEvent, cells: int | None = None) -> str:
    return lines(event, cells=cells)[-1]  # before it stands the rule of another day


def rows(text: str, cells: int) -> list[str]:
    """What a terminal makes of a line that is longer than it is wide."""
    return [text[at : at + cells].rstrip() for at in range(0, len(text), cells)]


def test_a_fill_says_all_that_matters() -> None:
    assert line(TRADE) == (
        "11:32:00.123 kraken trade buy  BTC/EUR  0.00400000 84210.10 336.8404 maker   "
        " OQCLML-BW3P3-BUCMWZ  fee 0.8758 EUR  trade TZX2WP-XSEOP-FP7WYR"
    )


def test_an_order_says_how_far_it_got() -> None:
    assert line(ORDER) == (
        "11:32:00.123 kraken order buy  BTC/EUR  0.01000000 84210.10 336.8404 partial "
        " OQCLML-BW3P3-BUCMWZ  filled 0.00400000  left 0.00600000  fee 0.8758 EUR"
        "  client 3b241101-e2bb-4255-8caf-4136c566a962"
    )


def test_an_order_does_not_repeat_what_its_status_says() -> None:
    untouched = order(status="open", filled="0", remaining="0.01", average_price=None)
    filled = order(status="filled", filled="0.01", remaining="0", average_price="84210.10")
    assert re.search(r" open +OQCLML\S+  fee", line(untouched))
    assert re.search(r" filled +OQCLML\S+  fee", line(filled))
    dearer = changed(filled, average_price="84211")
    assert re.search(r" filled +OQCLML\S+  average 84211  fee", line(dearer))


def test_an_order_says_its_trigger_its_reason_and_its_worth_in_quote_currency() -> None:
    stop = line(order(order_type="stop_loss", price=None, stop_price="83100.00"))
    assert re.search(r" - 336.8404 partial +OQCLML\S+  stop_loss  stop 83100.00  ", stop)
    assert re.search(
        r"rejected OQCLML\S+  insufficient_balance  ",
        line(
            order(status="rejected", reason="insufficient_balance", filled="0", average_price=None)
        ),
    )
    worth = line(order(order_type="market", price=None, quantity=None, quote_quantity="100"))
    assert re.search(r" -  +market 336.8404 partial +OQ\S+  for 100 EUR  filled 0\.004", worth)


@pytest.mark.parametrize("status", ["canceled", "expired", "rejected"])
@pytest.mark.parametrize("cells", [60, 80, 132])
def test_what_ended_early_says_what_of_it_was_filled(status: Any, cells: int) -> None:
    assert "filled 0.00400000" in line(order(status=status), cells)


def test_a_cancellation_that_was_asked_for_takes_no_line_of_its_own() -> None:
    asked = line(order(status="canceled", reason="user_requested", filled="0"), 80)
    assert width(asked) <= 80
    forced = line(order(status="rejected", reason="insufficient_balance", filled="0"), 80)
    assert "insufficient_balance" in forced


def test_how_much_of_an_order_is_filled_is_rounded_down() -> None:
    for filled, said in (("0.004", "part 40%"), ("0.00999999", "part 99%"), ("1", "partial")):
        assert f" {said} " in line(order(filled=filled), 80)


def test_a_balance_says_its_total_and_its_signed_change() -> None:
    assert line(BALANCE) == (
        "11:32:00.123 kraken balance    EUR      10094.3938 -337.7162 spot/main trade"
    )
    assert " +5.00 " in line(changed(BALANCE, change="5.00"))
    held = line(changed(BALANCE, change=None, available="9000", hold="1094.3938"))
    assert "EUR      10094.3938          spot/main trade     available 9000  hold 1094.3938" in held


def test_a_position_says_what_it_is_worth() -> None:
    assert line(POSITION) == (
        "11:32:00.123 kraken position short BTCF0/USTF0    0.5    91200"
        "                   active  pnl -12.5  liquidation 120111.5  leverage 5  149331"
    )


def test_a_price_says_the_best_of_both_sides() -> None:
    assert line(PRICE).endswith(
        "price      USDT/AUD  bid 1.53200000 x 250000 (+1)  ask 1.53410000 x 250000"
    )
    assert "bid -  ask 1.53410000" in line(changed(PRICE, bids=()))


def test_a_gap_says_from_when_to_when_and_whether_that_is_everything() -> None:
    assert line(GAP).endswith(
        "GAP        disconnected  12.4 s  complete  11:31:48.000 to 11:32:00.400"
        "  recovered 1 order, 2 trades"
    )
    lost = changed(
        GAP,
        complete=False,
        from_="2026-11-19T23:59:00.000000Z",
        recovered=Recovered(orders=0, trades=0, balances=0),
        detail="history did not answer",
    )
    assert line(lost).endswith(
        "disconnected  11 h 33 min  INCOMPLETE  11-19 23:59:00 to 11:32:00.400"
        "  recovered nothing  history did not answer"
    )


def test_no_word_is_in_a_colour_that_a_white_background_swallows() -> None:
    """Bold is brighter on many terminals; magenta and red are dark enough all the same."""
    for style in {**STYLES, **OVER}.values():
        words, _, background = style.partition(" on ")
        colour = {"yellow", "white", "green", "cyan"} & set(words.split())
        assert background or not colour or colour < {"green", "cyan"}, style
        assert background or not (colour and "bold" in words), style


@pytest.mark.parametrize("cells", range(20, 90))
def test_two_words_are_never_one_where_a_line_goes_on_below(cells: int) -> None:
    sentence = "nothing is changed before the last answer, which may be 12 or 345.6 characters long"
    assert flowing(sentence, cells).split() == sentence.split()
    long = trade(quantity="123456789012345678901234567890.123456789", price="84210.10")
    assert {"123456789012345678901234567890.123456789", "84210.10"} <= set(
        line(long, cells).split()
    )


def test_a_gap_that_lost_something_stands_out() -> None:
    paint = Pretty(-1, line_width=lambda _: None, calendar=CALENDAR)
    paint._paint = colours()
    assert "\x1b[1;37;41mGAP" in paint.lines([changed(GAP, complete=False)])
    assert "\x1b[30;43mGAP" in paint.lines([GAP])


def test_notices_and_states_are_words() -> None:
    assert line(NOTICE).endswith("notice     error  on-req  Invalid order: not enough balance")
    retrying = status("retrying", detail="reset by peer", attempt=2, retry_in=3.2)
    assert line(retrying).endswith("status     retrying in 3.2 s  attempt 2  reset by peer")


def test_times_are_of_the_exchange_else_ours_with_a_mark() -> None:
    assert line(TRADE).startswith("11:32:00.123 kraken")
    assert line(trade(time=None)).startswith("11:32:00.500~ kraken")


def test_what_is_not_from_today_has_its_date_and_its_time() -> None:
    assert line(trade(time="2026-11-17T09:12:44.000000Z")).startswith("11-17 09:12:44 kraken")
    assert line(trade(time="2025-11-20T11:32:00.000000Z")).startswith("2025-11-20 11:32:00 kraken")


def test_times_are_those_of_the_persons_own_clock() -> None:
    east = Calendar(timezone(timedelta(hours=14)), now=lambda: datetime.fromisoformat(NOW))
    early = trade(time="2026-11-20T09:00:00.000000Z")
    shown = lines(early, TRADE, calendar=east)
    assert shown[0].startswith("── Fri 20 November 2026 ──")
    assert shown[1].startswith("11-20 23:00:00 kraken")
    assert shown[2].startswith("── Sat 21 November 2026 ──")
    assert shown[3].startswith("01:32:00.123   kraken")


def test_a_rule_stands_between_days_and_above_what_begins_on_another_one() -> None:
    days = [f"2026-11-{day}T11:00:00.000000Z" for day in (17, 17, 19, 18, 20)]
    shown = lines(*(trade(time=day, trade_id=day) for day in days), cells=80)
    rules = [text for text in shown if text.startswith("──")]
    names = ["Tue 17 November 2026", "Thu 19 November 2026", "Fri 20 November 2026"]
    assert [text.strip("─ ") for text in rules] == names
    assert [shown.index(text) for text in rules] == [0, 3, 6]
    assert {width(text) for text in rules} == {60}


def test_what_stood_already_has_an_age_and_no_time() -> None:
    def first(event: AnyEvent) -> str:
        return line(event, 80)[:9]

    for created, age in (
        ("2026-11-20T11:31:59.900000Z", "now      "),
        ("2026-11-20T11:31:15.500000Z", "45s ago  "),
        ("2026-11-20T10:31:00.000000Z", "1h ago   "),
        ("2024-11-20T11:32:00.000000Z", "730d ago "),
    ):
        assert first(order(source="snapshot", created=created)) == age
    assert first(changed(BALANCE, source="snapshot", time=None)) == "now      "
    assert first(trade(source="snapshot")) == "11:32:00 "
    assert line(trade(source="rest")).endswith(
        "BUCMWZ  rest  fee 0.8758 EUR  trade TZX2WP-XSEOP-FP7WYR"
    )


def test_an_open_order_that_was_asked_for_has_its_age_too() -> None:
    listed = order(source="rest", time=None, created="2026-11-20T11:31:15.500000Z")
    assert line(listed, 80).startswith("45s ago ")
    for other in (
        changed(listed, status="canceled"),
        changed(listed, created=None),
        changed(listed, source="stream"),
    ):
        assert line(other, 80).startswith("11:32:00~ ")
    assert line(changed(listed, time=NOW), 80).startswith("11:32:00 ")


def test_old_fills_are_shown_oldest_first_and_all_else_where_it_came() -> None:
    old = [
        trade(source="snapshot", trade_id=str(at), time=f"2026-11-20T11:0{at}:00.000000Z")
        for at in (3, 1, 2)
    ]
    shown = lines(ORDER, *old, trade(time="2026-11-20T11:00:00.000000Z"))
    assert [text[:5] for text in shown] == ["11:32", "11:01", "11:02", "11:03", "11:00"]


def test_a_market_fill_is_one_line_of_the_order_and_one_of_each_thing_it_changed() -> None:
    states: list[tuple[Any, str]] = [("pending", "0"), ("open", "0"), ("filled", "0.01")]
    told = [order(status=status, filled=filled, price=None) for status, filled in states]
    other = order(order_id="OTHER", status="open")
    base, quote = changed(BALANCE, currency="BTC", change="0.01"), BALANCE
    shown = lines(told[0], other, told[1], TRADE, told[2], base, quote, changed(quote, change=None))
    kinds = [tuple(text.split()[2:5]) for text in shown]
    assert [kind for kind, *_ in kinds] == [
        "order",
        "trade",
        "order",
        "balance",
        "balance",
        "balance",
    ]
    assert "OTHER" in shown[0]
    assert " filled " in shown[2]


def test_masked_orders_are_not_taken_for_one() -> None:
    orders = [masked(order(order_id=name, status="open")) for name in ("A", "B")]
    assert len(lines(*orders)) == 2
    assert len(lines(masked(BALANCE), masked(changed(BALANCE, change="-1")))) == 2


def test_a_balance_is_not_repeated_within_one_instant_but_every_change_is() -> None:
    plain = changed(BALANCE, change=None)
    assert len(lines(plain, changed(plain, available="1"))) == 1
    assert len(lines(changed(BALANCE, change="1"), changed(BALANCE, change="2"))) == 2


def test_an_amount_the_exchange_does_not_state_exactly_is_marked() -> None:
    text = line(trade(estimated=("price", "fee")))
    assert "≈84210.10" in text
    assert "fee ≈0.8758 EUR" in text
    assert " 0.00400000 " in text


def test_what_is_unknown_is_a_dash_in_its_column_and_left_out_elsewhere() -> None:
    bare = trade(side=None, symbol=None, exchange_symbol=None, price=None, fee=None)
    assert re.search(r"trade -    -  +0\.00400000  +- 336.8404 maker  ", line(bare))
    assert "None" not in "".join(
        line(changed(event, **dict.fromkeys(_nullable(event)))) for event in ALL
    )


def _nullable(event: AnyEvent) -> list[str]:
    hints = type(event).__annotations__
    return [name for name, hint in hints.items() if "None" in str(hint)]


@pytest.mark.parametrize("cells", [40, 80, 100, 119, 120, 200, None])
def test_no_amount_is_ever_cut(cells: int | None) -> None:
    huge = "123456789012345678901234567890.123456789012345678901234567890"
    fields = ["price", "stop_price", "filled", "remaining", "average_price"]
    text = line(order(**dict.fromkeys(fields, huge)), cells)
    shown = re.findall(r"[0-9.]{20,}", text)
    assert set(shown) == {huge}
    assert len(shown) >= 2  # the rest may yield


def test_lines_stand_under_each_other() -> None:
    many = lines(TRADE, trade(symbol="AAVE/IDR", price="1234567890", quantity="0.00000001"))
    assert len({text.index("OQCLML") for text in many}) == 1
    assert many[0].index("84210.10") + len("84210.10") == many[1].index("1234567890") + 10


def test_a_value_too_long_for_its_column_takes_what_the_next_ones_do_not_need() -> None:
    long, short = lines(trade(quantity="0.1234567890123", price="1"), trade(price="1"), cells=80)
    assert long.index("336.8404") == short.index("336.8404")


def test_a_column_stays_as_wide_as_what_it_has_shown() -> None:
    many = lines(trade(quantity="1234567.00000000"), TRADE)
    assert len({text.index("OQCLML") for text in many}) == 1


@pytest.mark.parametrize("accounts", [["kraken"], ["kraken", "bitfinex"]])
def test_at_80_cells_what_a_trader_acts_on_is_on_one_line(accounts: list[str]) -> None:
    texts = lines(ORDER, TRADE, cells=80, accounts=accounts)
    for text, kind in zip(texts, ("part 40%", "trade"), strict=True):
        assert width(text) <= 80
        for value in (kind, "buy", "BTC/EUR", "84210.10", "336.8404", "OQCLML"):
            assert value in text
    assert re.search(r" 0\.01000000 .* 0\.00400000 ", " ".join(texts))


def test_what_must_be_seen_goes_on_below_under_its_subject() -> None:
    stop = order(order_type="stop_loss_limit", stop_price="84000.00", status="open")
    assert rows(line(stop, 80), 80) == [
        "11:32:00 kraken open     buy  BTC/EUR  0.01000000 84210.10 336.8404 OQCLML-BW3P…",
        "                              stop_loss_limit  stop 84000.00  filled 0.00400000",
    ]


@pytest.mark.parametrize("cells", range(40, 200, 7))
def test_no_value_is_broken_in_two_by_the_edge(cells: int) -> None:
    for event in ALL:
        words = set(line(event, 10_000).split())
        shown = {word for row in rows(line(event, cells), cells) for word in row.split()}
        narrow = {"part", "40%", "11:32", "11:32:00"}
        assert {word for word in shown if not word.endswith("…")} <= words | narrow


def test_the_only_account_is_left_out_where_it_is_narrow() -> None:
    (alone,) = lines(TRADE, cells=80, accounts=["kraken"])
    assert alone == (
        "11:32:00 trade    buy  BTC/EUR  0.00400000 84210.10 336.8404 OQCLML-BW3P3-BUCMWZ"
    )
    assert "kraken" in lines(TRADE, cells=120, accounts=["kraken"])[0]
    assert "kraken" in lines(TRADE, cells=80, accounts=["other"])[0]


def test_an_id_is_whole_where_it_fits_else_its_beginning() -> None:
    filled = order(status="filled", filled="0.01", order_id="123" + "6" * 20)
    (narrow,) = lines(filled, cells=80, accounts=["kraken"])
    assert narrow.endswith(" 336.8404 123666666666666666…")
    for cells in (100, 120, 160, None):
        assert filled.order_id in line(filled, cells)


def test_a_long_text_is_cut_with_a_sign_of_it() -> None:
    text = line(changed(NOTICE, text="x" * 10_000))
    assert len(text) < 400
    assert text.endswith("x…")


@pytest.mark.parametrize("text", ["[red]x[/red]", "[/x]", "[link=file:///x]", ":smile:", "{x}"])
def test_markup_is_printed_as_it_is(text: str) -> None:
    assert line(changed(NOTICE, text=text, code=text)).endswith(f"error  {text}  {text}")


def painted(event: AnyEvent, cells: int) -> str:
    pretty = Pretty(-1, line_width=lambda _: cells, calendar=CALENDAR)
    pretty._paint = PAINT
    return pretty.lines([event])


PAINT = colours()
NASTY = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from("\x00\x07\x08\r\n\t\x1b\x7f\x9b[]0;1mHJ\u202e\u2066\u200b\u2028\ud800"),
    ),
    max_size=40,
)


@st.composite
def hostile_events(draw: st.DrawFn) -> AnyEvent:
    """An event whose every free text is drawn by an enemy."""
    event = draw(st.sampled_from(ALL))
    closed = {"source", "side", "status", "level", "state", "liquidity", "estimated", "raw"}
    texts = [
        name
        for name in event.__struct_fields__
        if isinstance(getattr(event, name), str) and name not in closed - _open_words(event)
    ]
    changes: dict[str, Any] = {name: draw(NASTY) for name in texts if draw(st.booleans())}
    if draw(st.booleans()) and event is PRICE:
        changes["bids"] = ((draw(NASTY), draw(NASTY)),)
    return changed(event, **changes)


def _open_words(event: AnyEvent) -> set[str]:
    return {"status"} if event is POSITION else set()


@given(hostile_events(), st.sampled_from([20, 80, 120]))
def test_whatever_an_exchange_sends_commands_nothing(event: AnyEvent, cells: int) -> None:
    text = painted(event, cells)
    assert text.endswith("\n")
    assert text.count("\n") == 1
    bare = SGR.sub("", text)
    assert not FORBIDDEN.search(bare)
    text.encode()


@given(hostile_events())
def test_colours_change_no_character(event: AnyEvent) -> None:
    assert SGR.sub("", painted(event, 80)) == Pretty(
        -1, line_width=lambda _: 80, calendar=CALENDAR
    ).lines([event])


def test_a_wide_text_does_not_run_over_the_edge() -> None:
    text = line(changed(NOTICE, text="漢字漢字漢字 " * 20), 80)
    at = 0
    for piece in re.findall(r" +|[^ ]+", text):
        if piece.strip():
            assert at // 80 == (at + width(piece) - 1) // 80
        at += width(piece)


def test_a_pipe_gets_whole_lines_without_colour() -> None:
    with pipe() as (reading, writing):
        pretty = Pretty(writing, calendar=CALENDAR)
        pretty.write(ALL)
        pretty.close()
        os.close(writing)
        text = read_all(reading).decode()
    assert text.count("\n") == len(ALL)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) > 120

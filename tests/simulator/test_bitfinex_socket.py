"""The account channel of the simulated Bitfinex, as a dialogue."""

import re
from collections import defaultdict
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from privstream.model import exact
from privstream.simulator.bitfinex.tape import is_untold
from tests.simulator.bitfinex_desk import SEQ_ALL, TIMESTAMP, Desk, kinds, rows

SNAPSHOTS = ["ps", "ws", "os", "fos", "fcs", "fls"]
FILL = r"-?[0-9.]+\(-?[0-9.]+\)"
PARTS = rf"PARTIALLY FILLED @ {FILL}(, PARTIALLY FILLED @ {FILL})*"
STATUS = re.compile(
    rf"ACTIVE|{PARTS}|EXECUTED @ {FILL}(: was {PARTS})?"
    rf"|((IOC |POSTONLY )?CANCELED|INSUFFICIENT BALANCE \(G1\))( was: {PARTS})?"
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One for all tests that leave nothing behind: a life takes a while to make up."""
    return Desk(limits=False)


@cache
def lived(flags: int = 0) -> tuple[Desk, list[Any]]:
    """An account in which something happened for a while, and what a socket heard of it."""
    desk = Desk()
    return desk, desk.logged_in(flags).listen(150)


# --- snapshots and calculations --------------------------------------------------------


def test_the_snapshots_come_in_order_and_empty_ones_too(desk: Desk) -> None:
    frames = desk.dial().log_in()[1:]
    assert kinds(frames) == SNAPSHOTS
    assert rows(frames, "fcs", "fls") == [[], []]
    assert rows(frames, "os")[0]
    (wallets,) = rows(frames, "ws")
    assert all(len(row) == 7 and row[4] is None for row in wallets)


def test_then_every_wallet_comes_unasked_with_what_is_available() -> None:
    desk, line = (desk := Desk(rate=0.01)), desk.logged_in()
    told = {(r[0], r[1]): r for r in rows(line.listen(1), "wu") if r[4] is not None}
    assert len(told) == 10
    for currency, hold in desk.books.holds.items():
        row = told["exchange", currency]
        assert Decimal(str(row[2])) - Decimal(str(row[4])) == hold


def test_calc_brings_what_was_asked_and_nothing_else() -> None:
    line = Desk().logged_in()
    line.listen(1)
    frames = line.calc("wallet_exchange_BTC", "balance", "margin_base", "funding_sym_fUST")
    assert kinds(frames) == ["wu", "bu", "miu", "fiu"]
    wallet, value, margin, funding = (frame[2] for frame in frames)
    assert wallet[:2] == ["exchange", "BTC"]
    assert Decimal(str(wallet[4])) == line.desk.books.available("BTC")
    assert len(value) == 2
    assert (margin[0], len(margin[1])) == ("base", 5)
    assert funding[:2] == ["sym", "fUST"]


def test_calc_values_an_open_position() -> None:
    desk = Desk()
    line = desk.logged_in()
    while desk.bitfinex.margin.position is None:
        line.listen(0.5)
    code = desk.bitfinex.margin.position.pair.code
    (row,) = rows(line.calc(f"position_{code}", f"margin_sym_{code}"), "pu")
    assert row[:2] == [code, "ACTIVE"]
    assert None not in row[6:10]


def test_a_calc_of_nothing_known_is_an_error(desk: Desk) -> None:
    cases: list[Any] = [
        None,
        [],
        ["balance"],
        [["balance", "balance"]],
        [["wallet_spot_BTC"]],
        [["position_tNO"]],
    ]
    for payload in cases:
        line = desk.logged_in()
        line.listen(1)
        error = {"event": "error", "msg": "calc: invalid", "code": 10020}
        assert line.say([0, "calc", None, payload]) == [error]


def test_eight_calculations_a_second_are_done_the_rest_wait() -> None:
    line = Desk(rate=0.01).logged_in()
    line.listen(1)
    assert len(line.calc(*["balance"] * 20)) == 8
    assert kinds(line.listen(0.9, step=0.1)) == []
    assert kinds(line.listen(0.2, step=0.1)) == ["bu"] * 8
    assert kinds(line.listen(1, step=0.1)) == ["bu"] * 4


def test_more_than_thirty_calculations_are_refused_and_the_third_time_the_socket_is_cut() -> None:
    line = Desk().logged_in()
    error = {"event": "error", "msg": "ratelimit: error", "code": 11010}
    for _ in range(2):
        assert line.calc(*["balance"] * 31)[0] == error
        line.listen(0.25)
    assert line.closed is None
    line.calc(*["balance"] * 31)
    line.listen(0.25)
    assert line.closed is not None


# --- sequence numbers ------------------------------------------------------------------


def tail(frame: list[Any]) -> list[Any]:
    """What stands behind the payload."""
    return frame[2:] if frame[1] == "hb" else frame[3:]


def is_request(frame: list[Any]) -> bool:
    return frame[1] == "n" and str(frame[2][1]).endswith("-req")


@pytest.mark.parametrize("flags", [SEQ_ALL, SEQ_ALL | TIMESTAMP])
def test_every_array_carries_the_next_number_right_after_its_payload(flags: int) -> None:
    desk = Desk()
    line = desk.dial()
    line.say({"event": "conf", "flags": flags})
    frames = [*line.log_in()[1:], *line.listen(60)]
    assert {"n", "wu", "te", "tu", "on", "oc", "pu", "bu"} <= set(kinds(frames))
    assert any(is_request(frame) for frame in frames)
    for number, frame in enumerate(frames, start=1):
        numbers = tail(frame)
        account = [] if is_request(frame) or frame[1] == "hb" else [numbers[1]]
        assert numbers[0] == number
        assert numbers[1 : 1 + len(account)] == account
        assert len(numbers) == 1 + len(account) + bool(flags & TIMESTAMP)
        if flags & TIMESTAMP:
            assert 1780000123400 <= numbers[-1] <= desk.now.wall_ns // 1_000_000


def test_without_flags_nothing_follows_the_payload() -> None:
    _, frames = lived()
    assert not any(tail(frame) for frame in frames)


def test_with_the_time_alone_only_the_time_follows() -> None:
    _, frames = lived(TIMESTAMP)
    assert {len(tail(frame)) for frame in frames} == {1}


def test_the_accounts_count_is_zero_in_snapshots_and_never_falls_after() -> None:
    line = Desk().dial()
    line.say({"event": "conf", "flags": SEQ_ALL})
    assert {tail(frame)[1] for frame in line.log_in()[1:]} == {0}
    counts = [tail(frame)[1] for frame in line.listen(30) if len(tail(frame)) == 2]
    assert counts == sorted(counts)
    assert counts[0] > 0
    assert len(set(counts)) < len(counts)  # it does not advance on every frame


def test_notifications_and_calculations_do_not_advance_the_accounts_count() -> None:
    line = Desk().dial()
    line.say({"event": "conf", "flags": SEQ_ALL})
    line.log_in()
    numbered = [frame for frame in line.listen(60) if len(tail(frame)) == 2]
    for before, after in pairwise(numbered):
        calculated = after[1] in {"n", "bu", "miu"} or (
            after[1] == "wu" and tail(after) == [tail(before)[0] + 1, tail(before)[1]]
        )
        assert tail(after)[1] - tail(before)[1] == (0 if calculated else 1)
    assert {"n", "bu", "miu"} <= set(kinds(numbered))


def test_two_sockets_count_for_themselves_and_share_the_accounts_count() -> None:
    desk = Desk()
    early = desk.logged_in(SEQ_ALL)
    early.listen(10)
    late = desk.logged_in(SEQ_ALL, filter=["trading"])
    desk.wait(5)
    ours = [frame for frame in early.listen(0.25) if frame[1] == "te"]
    theirs = [frame for frame in late.listen(0.25) if frame[1] == "te"][: len(ours)]
    assert ours
    assert [f[2] for f in ours] == [f[2] for f in theirs]
    assert [f[4] for f in ours] == [f[4] for f in theirs]
    assert [f[3] for f in ours] != [f[3] for f in theirs]


def test_a_heartbeat_comes_after_fifteen_silent_seconds() -> None:
    cases: list[tuple[int, list[Any]]] = [
        (0, [0, "hb"]),
        (SEQ_ALL, [0, "hb", 3]),
        (SEQ_ALL | TIMESTAMP, [0, "hb", 3, 1780000138400]),
    ]
    for flags, beat in cases:
        desk = Desk(rate=0.001)
        line = desk.logged_in(flags, filter=["trading-tBTCUST"])
        assert line.listen(14.75) == []
        frames = line.listen(0.5)
        assert frames == [beat]
        assert not line.listen(14.5)
        assert kinds(line.listen(0.5)) == ["hb"]


# --- filter and permissions ------------------------------------------------------------


def test_a_filter_lets_only_its_kinds_through(desk: Desk) -> None:
    cases: list[tuple[list[str], set[str], set[str]]] = [
        (["trading"], {"os", "ps"}, {"on", "ou", "oc", "te", "tu", "pn", "pu", "pc"}),
        (["wallet"], {"ws"}, {"wu"}),
        (["balance"], set(), {"bu", "miu"}),
        (["notify"], set(), {"n"}),
        (["funding"], {"fos", "fcs", "fls"}, set()),
    ]
    for asked, snapshots, updates in cases:
        line = desk.dial()
        assert set(kinds(line.log_in(filter=asked))) == snapshots
        assert set(kinds(line.listen(60))) - {"hb"} == updates


def test_a_filter_may_name_one_symbol_or_one_wallet() -> None:
    line = Desk().logged_in(filter=["trading-tAVAX:USD", "wallet-exchange-BTC"])
    frames = line.listen(60)
    assert {row[3] for row in rows(frames, "on", "ou", "oc")} == {"tAVAX:USD"}
    assert {row[1] for row in rows(frames, "te", "tu")} == {"tAVAX:USD"}
    assert {(row[0], row[1]) for row in rows(frames, "wu")} == {("exchange", "BTC")}


def test_a_filter_of_null_or_of_nothing_is_none(desk: Desk) -> None:
    assert kinds(desk.dial().log_in(filter=None)) == SNAPSHOTS
    assert kinds(desk.dial().log_in(filter=[])) == SNAPSHOTS


def test_what_the_key_may_not_read_stays_silent() -> None:
    desk = Desk(read=frozenset({"orders", "account"}))
    line = desk.dial()
    assert kinds(line.log_in()) == ["os"]
    assert set(kinds(line.listen(60))) - {"hb"} == {"on", "ou", "oc", "te", "tu", "n"}


# --- the account's life ----------------------------------------------------------------


def test_rows_have_the_documented_length_and_status_words() -> None:
    _, frames = lived()
    orders = rows(frames, "on", "ou", "oc")
    assert {len(row) for row in orders} == {32}
    assert {len(row) for row in rows(frames, "te", "tu")} == {12}
    assert {len(row) for row in rows(frames, "wu")} == {7}
    assert {len(row) for row in rows(frames, "pn", "pu", "pc")} == {20}
    assert {len(row) for row in rows(frames, "n")} == {8}
    assert all(STATUS.fullmatch(row[13]) for row in orders)
    heads = {re.split(r" @|: was| was", row[13])[0] for row in orders}
    assert heads == {
        "ACTIVE",
        "EXECUTED",
        "PARTIALLY FILLED",
        "CANCELED",
        "IOC CANCELED",
        "POSTONLY CANCELED",
        "INSUFFICIENT BALANCE (G1)",
    }


def test_some_orders_are_changed_after_a_fill_and_active_again() -> None:
    _, frames = lived()
    told: dict[int, list[Any]] = defaultdict(list)
    for row in rows(frames, "on", "ou", "oc"):
        told[row[0]].append(row)
    changes = [
        (before, after)
        for states in told.values()
        for before, after in pairwise(states)
        if before[13].startswith("PARTIALLY") and after[13] == "ACTIVE"
    ]
    assert changes
    for before, after in changes:
        assert after[5] > before[5]
        assert after[6:8] == before[6:8]
        assert after[16] != before[16]
        assert after[10] is not None


def test_the_end_of_an_order_may_not_show_in_its_words_nor_its_rest_have_its_sign(
    desk: Desk,
) -> None:
    history = desk.post("r/orders/hist", limit=2500)  # where rows are as in `oc`
    ended = [row for row in history if str(row[0]) in desk.books.orders]
    unsaid = [row for row in ended if row[13].startswith("PARTIALLY")]
    flipped = [row for row in ended if Decimal(str(row[6])) * Decimal(str(row[7])) < 0]
    assert unsaid
    assert flipped
    for row in flipped:
        filled = abs(Decimal(str(row[7])) - Decimal(str(row[6])))
        assert filled == desk.books.orders[str(row[0])].filled


def test_a_currency_of_another_name_elsewhere_is_called_by_its_code(desk: Desk) -> None:
    (wallets,) = rows(desk.dial().log_in(), "ws")
    assert ["exchange", "DSH"] in [row[:2] for row in wallets]
    assert ["DSH", "DASH"] in exact.decode(desk.get("/v2/conf/pub:map:currency:sym").body)[0]


def test_a_fill_is_told_in_pieces_and_completed_by_its_tu() -> None:
    desk, frames = lived()
    first = {(row[1], row[0], row[3]): row for row in rows(frames, "te")}
    second = {(row[1], row[0], row[3]): row for row in rows(frames, "tu")}
    assert len(first) == len(rows(frames, "te")) > 100
    for key, row in second.items():
        trade = desk.books.trades.get(str(key[1])) or desk.bitfinex.margin.trades[str(key[1])]
        assert row[9] is not None
        assert Decimal(str(row[9])) == -trade.fee
        assert row[10] == trade.fee_currency
        if key in first:
            assert first[key] == [*row[:9], None, None, row[11]]
    untold = {row[0] for key, row in first.items() if key not in second}
    late = desk.now.wall_ns // 1_000_000 - 3000
    assert untold
    for row in first.values():
        if row[0] in untold and row[2] < late:
            trade = desk.books.trades.get(str(row[0])) or desk.bitfinex.margin.trades[str(row[0])]
            assert is_untold(trade)


def test_a_taker_is_told_both_wallets_the_fill_the_order_and_the_fee() -> None:
    _, frames = lived()
    frames = [frame for frame in frames if frame[1] != "bu"]
    for at, frame in enumerate(frames):
        if frame[1] == "te" and frame[2][6] == "EXCHANGE MARKET":
            assert kinds(frames[at - 2 : at + 3]) == ["wu", "wu", "te", "oc", "wu"]
            assert frames[at + 1][2][0] == frame[2][3]
            break
    else:
        pytest.fail("no market order was filled")
    told = {row[0] for row in rows(frames, "on")}
    assert (
        not {row[0] for row in rows(frames, "oc") if "MARKET" in row[8] or "IOC" in row[8]} & told
    )


def test_fills_and_orders_come_in_either_order() -> None:
    _, frames = lived()
    orders = {(f[1], g[1]) for f, g in pairwise(frames)}
    assert {("te", "ou"), ("ou", "te"), ("te", "oc"), ("oc", "te")} <= orders


def test_the_told_balances_add_up_to_the_books() -> None:
    desk = Desk()
    line = desk.dial()
    (wallets,) = rows(line.log_in(), "ws")
    balances = {(row[0], row[1]): Decimal(str(row[2])) for row in wallets}
    frames = line.listen(300)
    for row in rows(frames, "wu"):
        balances[row[0], row[1]] = Decimal(str(row[2]))
    for currency, balance in desk.books.balances.items():
        assert balances["exchange", currency] == balance
    for currency, balance in desk.bitfinex.margin.balances.items():
        assert balances["margin", currency] == balance
    assert len(rows(frames, "te")) > 100


def test_a_fee_is_taken_from_a_wallet_after_the_fill_was_told_on_it() -> None:
    desk, frames = lived()
    fees = {trade.fee for trade in desk.books.trades.values()}
    last: dict[str, Any] = {}
    taken = 0
    for row in rows(frames, "wu"):
        if row[0] == "exchange" and str(row[5]).startswith("Trading") and row[4] is None:
            before = last[row[1]]
            assert str(before[5]).startswith("Exchange")
            assert Decimal(str(before[2])) - Decimal(str(row[2])) in fees
            taken += 1
        if row[0] == "exchange":
            last[row[1]] = row
    assert taken > 30


def test_what_changes_a_wallet_is_told_with_available_null_and_later_calculated() -> None:
    _, frames = lived()
    changed = [row for row in rows(frames, "wu") if row[4] is None]
    assert {str(row[5]).split()[0] for row in changed} >= {"Exchange", "Trading", "Deposit"}
    trades = [row for row in changed if str(row[5]).startswith("Exchange")]
    assert {tuple(row[6]) for row in trades} == {
        (
            "reason",
            "order_id",
            "order_id_oppo",
            "trade_price",
            "trade_amount",
            "order_cid",
            "order_gid",
        )
    }
    assert all(re.fullmatch(r"[0-9]+\.[0-9]+", row[6]["trade_price"]) for row in trades)
    assert len([row for row in rows(frames, "wu") if row[4] is not None]) > 30


def test_a_position_opens_grows_shrinks_and_closes_with_the_fills_of_its_orders() -> None:
    _, frames = lived()
    sizes: dict[int, list[Decimal]] = defaultdict(list)
    for row in rows(frames, "pn", "pu", "pc"):
        size = Decimal(str(row[2]))
        assert row[1] == ("ACTIVE" if size else "CLOSED")
        if row[6] is None:  # by a fill, and not by the price alone
            sizes[row[11]].append(size)
    opened = {row[11] for row in rows(frames, "pn")}
    closed = {row[11] for row in rows(frames, "pc")}
    assert len(opened & closed) > 4
    for name in opened & closed:
        growing = [abs(size) for size in sizes[name]]
        assert growing[:3] == sorted(growing[:3])
        assert growing[2] > growing[3] > growing[4] == 0
    signs = {s.is_signed() for name in opened for s in sizes[name][:1]}
    assert signs == {True, False}
    codes = {row[0] for row in rows(frames, "pn")}
    assert codes == {"tBTCF0:USTF0", "tXRPUSD"}


def test_a_closed_positions_orders_and_fills_sum_up_to_nothing() -> None:
    desk, _ = lived()
    margin = desk.bitfinex.margin
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for trade in margin.trades.values():
        sign = 1 if trade.order.side == "buy" else -1
        amounts[trade.order.symbol.base] += sign * trade.quantity
    position = margin.position
    for base, amount in amounts.items():
        is_open = position is not None and position.pair.symbol.base == base
        assert amount == (position.amount if position is not None and is_open else 0)


def test_notifications_say_what_was_asked_over_another_socket_and_what_came_in() -> None:
    _, frames = lived()
    notices = rows(frames, "n")
    assert {row[1] for row in notices} == {"on-req", "oc-req", "acc_dep"}
    asked = next(row for row in notices if row[1] == "on-req")
    assert (asked[6], len(asked[4])) == ("SUCCESS", 32)
    assert re.fullmatch(r"Submitting exchange .* (buy|sell) order for .* \w+\.", asked[7])
    assert any(str(row[0]).count(".") for row in notices)  # seconds with a fraction
    canceled = next(row for row in notices if row[1] == "oc-req")
    assert canceled[4][13].split(" @")[0] in {"ACTIVE", "PARTIALLY FILLED"}


def test_an_order_over_the_socket_is_refused_by_a_notification() -> None:
    line = Desk().logged_in(SEQ_ALL)
    line.listen(1)
    (frame,) = line.say([0, "on", None, {"type": "EXCHANGE LIMIT"}])
    assert (frame[1], frame[2][1], frame[2][6]) == ("n", "on-req", "ERROR")
    assert len(frame) == 4


def test_an_unknown_command_is_an_error_event() -> None:
    (answer,) = [f for f in Desk().logged_in().say([0, "xx", None, {}]) if isinstance(f, dict)]
    assert (answer["event"], answer["code"]) == ("error", 10001)


def test_algorithmic_orders_are_listed_to_who_asks_for_them() -> None:
    assert Desk().dial().log_in(filter=["algo"])[1:] == [[0, "ats", []]]

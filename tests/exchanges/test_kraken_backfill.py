"""Kraken's reading back in parts: each list stands alone, and no page is read twice."""

from collections.abc import Callable
from typing import Any

from msgspec import structs

from privstream.exchanges.kraken.backfill import PAGE
from privstream.model.reports import Fill, OrderReport
from privstream.model.rest import HttpResponse
from tests.exchanges.test_kraken_rest import KNOWN, ORDER, PAIRS, TRADE, Rest, kraken
from tests.rest_play import answer, play

BUSY = answer({"error": ["EService:Busy"]})
TRADES = {f"T{number:03}": TRADE for number in range(2 * PAGE + 7)}


def pages(
    *, count: object = len(TRADES), failing: Callable[[int], bool] = lambda _: False
) -> Callable[[dict[str, str]], Any]:
    """The trades in pages; those that begin at some rows are not answered just now."""

    def page(fields: dict[str, str]) -> HttpResponse | dict[str, Any]:
        start = int(fields["ofs"])
        if failing(start):
            return BUSY
        rows = {name: TRADES[name] for name in sorted(TRADES)[start : start + PAGE]}
        return {"trades": rows} | ({} if count is None else {"count": count})

    return page


def offsets(rest: Rest) -> list[str]:
    return [fields["ofs"] for name, fields in rest.asked if name == "TradesHistory"]


def test_a_part_that_is_refused_costs_only_itself_and_is_named() -> None:
    found = play(kraken().backfill(KNOWN), Rest(QueryOrders=BUSY))
    assert [type(report) for report in found.reports] == [Fill, OrderReport]
    assert not found.complete
    assert found.retryable
    assert (found.detail or "").startswith("orders in doubt: Kraken is busy")
    assert "EService:Busy" in (found.detail or "")


def test_pages_that_were_read_are_told_though_the_next_one_stays_away() -> None:
    rest = Rest(TradesHistory=pages(failing=lambda start: start == 2 * PAGE))
    found = play(kraken().backfill(KNOWN), rest)
    assert sum(isinstance(report, Fill) for report in found.reports) == 2 * PAGE
    assert any(isinstance(report, OrderReport) for report in found.reports)
    assert (found.detail or "").startswith("fills: ")


def test_a_page_that_passes_is_asked_for_again_from_where_it_stopped() -> None:
    outages = [PAGE, PAGE]

    def failing(start: int) -> bool:
        return start in outages and bool(outages.pop())

    rest = Rest(TradesHistory=pages(failing=failing))
    found = play(kraken().backfill(KNOWN), rest, tries=3)
    assert found.complete
    assert sum(isinstance(report, Fill) for report in found.reports) == len(TRADES)
    assert offsets(rest) == ["0", "50", "50", "50", "100"]


def test_a_count_that_is_missing_or_odd_leads_on_to_a_short_page() -> None:
    for count in (None, "many", 0, PAGE - 1, PAGE + 10, [7]):
        rest = Rest(TradesHistory=pages(count=count))
        assert play(kraken().backfill(KNOWN), rest).complete
        assert offsets(rest) == ["0", "50", "100"]


def test_fewer_rows_than_kraken_counts_are_not_everything() -> None:
    found = play(kraken().backfill(KNOWN), Rest(TradesHistory=pages(count=500)))
    assert found.detail == "fills: Kraken gave only 107 of the rows that it counts"


def test_rows_that_come_twice_do_not_stand_for_others() -> None:
    twice = {"0": 0, "50": 25, "100": 50}

    def page(fields: dict[str, str]) -> dict[str, Any]:
        start = twice.get(fields["ofs"], len(TRADES))
        rows = {name: TRADES[name] for name in sorted(TRADES)[start : start + PAGE]}
        return {"trades": rows, "count": len(TRADES)}

    found = play(kraken().backfill(KNOWN), Rest(TradesHistory=page))
    assert found.detail == "fills: Kraken gave only 100 of the rows that it counts"


def test_fills_that_come_while_the_pages_are_read_take_nothing_from_them() -> None:
    come: list[str] = []

    def page(fields: dict[str, str]) -> dict[str, Any]:
        names = [*reversed(come), *sorted(TRADES)]
        start = int(fields["ofs"])
        come.append(f"U{len(come):03}")
        rows = dict.fromkeys(names[start : start + PAGE], TRADE)
        return {"trades": rows, "count": len(names)}

    found = play(kraken().backfill(KNOWN), Rest(TradesHistory=page))
    fills = {report.trade_id for report in found.reports if isinstance(report, Fill)}
    assert found.complete
    assert fills >= TRADES.keys()


def test_rows_that_come_amid_the_others_take_nothing_from_them() -> None:
    """A list by when orders were placed gets a row in its middle when an old one ends."""
    names = [f"T{number:03}" for number in range(3 * PAGE)]
    late = iter([2 * PAGE + 20, PAGE + 70, 3 * PAGE + 1])

    def page(fields: dict[str, str]) -> dict[str, Any]:
        start = int(fields["ofs"])
        rows = dict.fromkeys(names[start : start + PAGE], TRADE)
        result = {"trades": rows, "count": len(names)}
        if (place := next(late, None)) is not None:
            names.insert(place, f"U{place}")
        return result

    found = play(kraken().backfill(KNOWN), Rest(TradesHistory=page))
    fills = {report.trade_id for report in found.reports if isinstance(report, Fill)}
    assert found.complete
    assert fills == {*names}


def test_more_fills_than_a_page_while_one_is_read_are_no_sign_of_the_end() -> None:
    names = [f"T{number:03}" for number in range(2 * PAGE)]

    def page(fields: dict[str, str]) -> dict[str, Any]:
        start = int(fields["ofs"])
        result = {
            "trades": dict.fromkeys(names[start : start + PAGE], TRADE),
            "count": len(names),
        }
        if start == 0:
            names[:0] = [f"U{number:03}" for number in range(PAGE + 10)]
        return result

    found = play(kraken().backfill(KNOWN), Rest(TradesHistory=page))
    fills = {report.trade_id for report in found.reports if isinstance(report, Fill)}
    assert found.complete
    assert fills >= {f"T{number:03}" for number in range(2 * PAGE)}


def test_orders_that_were_found_are_told_though_the_others_stay_away() -> None:
    def orders(fields: dict[str, str]) -> HttpResponse | dict[str, Any]:
        ids = fields["txid"].split(",")
        if "UNKNOWN" in ids:
            return answer({"error": ["EOrder:Invalid order"]}) if len(ids) > 1 else BUSY
        return dict.fromkeys(ids, ORDER)

    known = structs.replace(KNOWN, suspects=frozenset({"OA", "OB", "OC", "UNKNOWN"}))
    found = play(kraken().backfill(known), Rest(QueryOrders=orders))
    told = {report.order_id for report in found.reports if isinstance(report, OrderReport)}
    assert told >= {"OA", "OB", "OC"}
    assert "orders in doubt: Kraken is busy" in (found.detail or "")


def test_one_order_in_doubt_that_is_refused_costs_only_itself() -> None:
    def orders(fields: dict[str, str]) -> HttpResponse | dict[str, Any]:
        ids = fields["txid"].split(",")
        if "O3" in ids:
            return answer({"error": ["EOrder:Invalid order"]})
        return dict.fromkeys(ids, ORDER)

    known = structs.replace(KNOWN, suspects=frozenset({"O2", "O3", "O4", "O5"}))
    found = play(kraken().backfill(known), Rest(QueryOrders=orders))
    told = [report.order_id for report in found.reports if isinstance(report, OrderReport)]
    assert told == ["O1", "O2", "O4", "O5"]
    assert found.detail == "orders in doubt: what became of O3 could not be found"
    assert not found.retryable


def test_an_order_in_doubt_that_is_not_in_the_answer_is_named() -> None:
    found = play(kraken().backfill(KNOWN), Rest(QueryOrders={}))
    assert found.detail == "orders in doubt: what became of O2 could not be found"


def test_the_orders_that_stand_are_all_only_where_each_row_was_read() -> None:
    whole = Rest(OpenOrders={"open": {"O1": ORDER}})
    broken = Rest(OpenOrders={"open": {"O1": ORDER, "O9": "no row"}})
    listed = [play(kraken().picture(("orders",)), rest) for rest in (whole, broken)]
    assert [found.complete for found in listed] == [True, False]
    assert [len(found.reports) for found in listed] == [2, 2], "the list's end or a notice"
    assert listed[1].detail == "open orders: one row could not be read"


def test_names_that_cannot_be_asked_for_cost_no_fact() -> None:
    found = play(kraken().backfill(KNOWN), Rest(AssetPairs=BUSY))
    [fill] = [report for report in found.reports if isinstance(report, Fill)]
    assert (fill.symbol, fill.exchange_symbol) == (None, "XXBTZEUR")
    assert sum(isinstance(report, OrderReport) for report in found.reports) == 2
    assert found.complete


def test_names_are_asked_for_again_with_the_next_facts() -> None:
    client, rest = kraken(), Rest(AssetPairs=BUSY)
    play(client.backfill(KNOWN), rest)
    rest.answers["AssetPairs"] = PAIRS
    found = play(client.backfill(KNOWN), rest)
    assert {report.symbol for report in found.reports if isinstance(report, Fill)} == {"BTC/EUR"}

"""What Zerocap tells of balances."""

from typing import Any

import pytest

from privstream.exchanges.zerocap import Zerocap
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.model.events import Balance
from privstream.model.exact import decode
from privstream.model.reports import BalanceReport, Listed, NoticeReport
from tests.exchanges.zerocap_rest_desk import BALANCES, Server, account, known, row
from tests.playbook import ledger, like
from tests.rest_play import play
from tests.valid import assert_valid


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [("free", "much", "available"), ("total", [], "total"), ("used", {"a": 1}, "hold")],
)
def test_an_odd_part_of_a_balance_is_unknown_and_said(key: str, odd: Any, field: str) -> None:
    held = {"free": 5, "total": 7, "used": 2}
    listed = {"status": "successful", "timestamp": "soon", "AUD": {"custody": held | {key: odd}}}
    report, *said, end = ZerocapWallets().read(listed, "rest")
    expected = {"available": "5", "total": "7", "hold": "2"} | {field: None}
    assert report == like(BalanceReport, currency="AUD", time=None, **expected)
    assert {notice.once for notice in said if isinstance(notice, NoticeReport)} == {
        "list of balances:timestamp",
        f"balance:{key}",
    }
    assert end == Listed("balances")


def test_both_map_orders_are_one_balance_for_each_asset_in_each_account() -> None:
    book = ledger("zerocap")
    reports = ZerocapWallets().read(decode(BALANCES), "snapshot")
    events = [event for report in reports for event in book.take(report, "")]
    assert all(isinstance(event, Balance) for event in events)
    told = {
        (e.currency, e.wallet): (e.total, e.available, e.hold)
        for e in events
        if isinstance(e, Balance)
    }
    assert told == {
        ("BTC", "custody"): ("1.50", "1.25", "0.25"),
        ("AUD", "YieldNotes"): ("3", "3", "0"),
        ("AUD", "custody"): ("3092.07032787879", "3092.07032787879", "0"),
        ("WBTC", "custody"): ("0.10", "0.10", "0"),
        ("USDT_ETH", "term_3M"): ("0.99", "0.99", "0"),
    }
    assert {event.time for event in events} == {"2026-05-28T20:26:43.277000Z"}


def test_a_later_list_tells_only_what_changed_and_what_is_gone() -> None:
    book, wallets = ledger("zerocap"), ZerocapWallets()
    for report in wallets.read(decode(BALANCES), "snapshot"):
        book.take(report, "")
    later = decode(BALANCES.replace("1.50", "1.60"))
    del later["AUD"]["YieldNotes"]
    for _ in range(2):
        events = [e for report in wallets.read(later, "rest") for e in book.take(report, "")]
        if _ == 0:
            assert events == [
                like(Balance, currency="BTC", total="1.60", source="rest"),
                like(Balance, currency="AUD", wallet="YieldNotes", total="0", hold="0"),
            ]
    assert events == []


def test_what_cannot_be_read_is_said_once_and_nothing_is_called_gone() -> None:
    wallets = ZerocapWallets()
    wallets.read(decode(BALANCES), "snapshot")
    broken = decode(BALANCES)
    broken["BTC"]["custody"] = {"free": "lots"}
    broken["OTC"] = {"EUR": {"free": 1, "total": 1, "used": 0}}
    first, second = wallets.read(broken, "rest"), wallets.read(broken, "rest")
    assert [r.element for r in first if isinstance(r, NoticeReport)] == [
        {"BTC": {"custody": {"free": "lots"}}},
        {"OTC": {"EUR": {"free": 1, "total": 1, "used": 0}}},
    ]
    assert not [r for r in second if isinstance(r, NoticeReport | Listed)]
    assert like(BalanceReport, total="0", currency="BTC") not in first


@pytest.mark.parametrize("odd", [None, "", "soon", True, [], 7])
@pytest.mark.parametrize("name", ["AUD", "custody"])
def test_an_asset_or_account_that_is_no_object_is_not_gone(name: str, odd: Any) -> None:
    held = {"free": 5, "total": 7, "used": 2}
    listed = {"status": "successful", "AUD": {"prime": held}, "custody": {"CAD": held}}
    wallets = ZerocapWallets()
    wallets.read(listed, "snapshot")
    report, said = wallets.read({**listed, name: odd}, "rest")
    assert report == like(BalanceReport, total="7")
    assert said == like(NoticeReport, code="unrecognised")


def test_an_asset_without_accounts_has_no_wallet() -> None:
    answered = {"ETH": {"free": 1, "total": 2, "used": 1}, "status": "successful"}
    assert ZerocapWallets().read(answered, "rest") == (
        like(BalanceReport, currency="ETH", wallet=None, total="2"),
        Listed("balances"),
    )


def test_every_event_read_over_rest_is_valid() -> None:
    book = ledger("zerocap", raw=True)
    found = play(Zerocap(account()).backfill(known()), Server(placed=(row(),)))
    events = [
        event
        for report in found.reports
        for event in book.take(report, "2026-05-28T20:26:43.277000Z")
    ]
    assert len(events) > 5
    for event in events:
        assert_valid(event)

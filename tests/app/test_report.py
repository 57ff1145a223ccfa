"""`privstream report`: out of files, and in every form."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from privstream.app.kept_events import EVER, Wanted
from privstream.app.kept_fills import path_of, read_kept
from privstream.app.past_fills import Period
from privstream.app.report import _summed
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent
from privstream.model.fill_report import FillReport
from privstream.model.times import to_nanos
from privstream.outputs.calendar import Calendar
from privstream.outputs.jsonl import encode_lines
from privstream.outputs.report_lines import COLUMNS, csv_text, json_lines
from privstream.outputs.report_table import lines
from tests.outputs.output_events import BALANCE, GAP, NOW, ORDER, trade

CALENDAR = Calendar(UTC, now=lambda: datetime.fromisoformat(NOW))
changed = msgspec.structs.replace


def fill(number: int, **changes: Any) -> AnyEvent:
    changes = {"id": f"kraken:trade:{number}", "trade_id": str(number), **changes}
    return trade(**changes)


def kept(*events: AnyEvent) -> list[bytes]:
    return bytes(encode_lines(events)).splitlines()


def report_of(told: list[bytes], period: Period = EVER, account: str | None = None) -> FillReport:
    pasts, covered = read_kept(iter(told), period, Wanted(account), lambda _: None)
    return _summed(pasts, covered, CALENDAR)


BUY = fill(1, quantity="0.1", cost="5000.10", fee="5", liquidity="maker")
SELL = fill(2, side="sell", quantity="0.03", cost="1800", fee="-1", liquidity="taker")
EARLIER = fill(3, time="2026-11-19T10:00:00.000000Z", quantity="1", cost="50000", fee="0")


def test_the_fills_of_a_file_are_summed_once_whatever_runs_wrote_them() -> None:
    found = report_of(kept(ORDER, BUY, BALANCE, SELL, BUY, EARLIER))
    (sums,) = found.markets().values()
    assert sums.fills == 3
    assert [day for day, _, _ in found.by_day()] == ["2026-11-19", "2026-11-20"]
    assert json.loads(list(json_lines(found))[-2]) == {
        "type": "total",
        "fills": 3,
        "fees": {"EUR": "4"},
        "net": {"BTC": "1.07", "EUR": "-53204.1"},
        "estimated": 0,
        "unknown": {},
    }
    assert found.complete is None  # nobody knows what happened while nothing was written


def test_only_the_period_the_account_and_its_gaps_are_in_it() -> None:
    period = Period(to_nanos("2026-11-20T00:00:00.000000Z"), to_nanos(NOW))
    other = changed(fill(9), account="desk")
    lost = changed(GAP, complete=False, detail="a page was refused")
    old = changed(lost, from_="2026-11-18T00:00:00.000000Z", to="2026-11-18T01:00:00.000000Z")
    found = report_of(kept(BUY, EARLIER, other, GAP, lost, old), period, "kraken")
    assert [(market.account, sums.fills) for market, sums in found.markets().items()] == [
        ("kraken", 1)
    ]
    (missing,) = found.missing
    assert (missing.since, missing.until, missing.why) == (
        lost.from_,
        lost.to,
        "a page was refused",
    )
    assert found.complete is False


def interruption(since: int, until: int, *, complete: bool, **changes: Any) -> AnyEvent:
    times = {
        "from_": f"2026-11-20T11:{since:02}:00.000000Z",
        "to": f"2026-11-20T11:{until:02}:00.000000Z",
    }
    return changed(
        GAP, complete=complete, detail=None if complete else f"to {until}", **times, **changes
    )


def test_a_gap_that_a_later_one_read_back_is_not_missing() -> None:
    gaps = (
        interruption(1, 3, complete=False),
        interruption(1, 5, complete=False),
        interruption(4, 9, complete=True),
        interruption(10, 12, complete=False),
        interruption(10, 14, complete=False),
        interruption(20, 25, complete=False),
        interruption(0, 30, complete=True, account="desk"),
        interruption(0, 30, complete=True, cause="drift"),
    )
    missing = report_of(kept(BUY, *gaps)).missing
    assert [(one.since[14:16], one.until[14:16], one.why) for one in missing] == [
        ("01", "04", "to 5"),
        ("10", "14", "to 14"),
        ("20", "25", "to 25"),
    ]
    assert report_of(kept(BUY, *gaps, interruption(1, 30, complete=True))).complete is None


@pytest.mark.parametrize("line", [b'{"type":"trade"}', b"\xff", b"[]", b'{"type":"tra'])
def test_a_line_that_cannot_be_read_makes_the_report_incomplete(line: bytes) -> None:
    found = report_of([*kept(BUY), line])
    assert found.complete is False
    assert "1 entry of the file could not be read" in found.missing[0].why


def test_what_a_fill_does_not_say_is_counted_and_not_taken_for_zero() -> None:
    bare = fill(4, fee=None, cost=None, price=None, side="sell", quantity="0.5")
    found = report_of(kept(BUY, bare))
    said = json.loads(next(json_lines(found)))
    assert said["unknown"] == {"cost": 1, "fee": 1}
    assert (said["sold"], said["average_sell"], said["average_buy"]) == ("0.5", None, None)
    assert said["fees"] == {"EUR": "5"}


def test_an_average_is_exact_to_sixteen_digits() -> None:
    found = report_of(kept(fill(1, quantity="3", cost="1"), fill(2, quantity="3", cost="1")))
    said = json.loads(next(json_lines(found)))
    assert said["average_buy"] == "0.3333333333333333"
    assert said["maker_share"] == "1"


# --- a recording -----------------------------------------------------------------------------

HEAD = (
    b'{"recording":"privstream","version":1,"exchange":"kraken","account":"kraken",'
    b'"options":{"protocol":"v2"},"channels":["trades"],"started":"2026-11-20T11:00:00.000000Z"}'
)


def frame(time: str, direction: str = "in", text: str = '{"channel":"heartbeat"}') -> bytes:
    return json.dumps(
        {"time": f"2026-11-20T{time}.000000Z", "direction": direction, "frame": text}
    ).encode()


RECORDING = [HEAD, frame("11:00:00", "open"), frame("11:00:01"), frame("11:10:00")]


def test_a_recording_is_whole_from_its_beginning_to_its_end() -> None:
    found = report_of(RECORDING)
    assert (found.since, found.until) == (
        "2026-11-20T11:00:00.000000Z",
        "2026-11-20T11:10:00.000000Z",
    )
    assert found.complete is True


def test_what_a_recording_does_not_hold_of_the_period_is_missing() -> None:
    again = [*RECORDING, frame("11:11:00", "open"), frame("11:11:02"), frame("11:12:00")]
    day = Period(to_nanos("2026-11-20T00:00:00.000000Z"), to_nanos(NOW))
    assert [(one.since[11:19], one.until[11:19]) for one in report_of(again, day).missing] == [
        ("00:00:00", "11:00:00"),
        ("11:10:00", "11:11:02"),
        ("11:12:00", "11:32:00"),
    ]


# --- forms -----------------------------------------------------------------------------------


def test_a_spreadsheet_takes_no_cell_for_a_formula_and_numbers_stay_numbers() -> None:
    nasty = fill(5, symbol="=cmd()/EUR", quantity="1", fee="-2.5")
    text = csv_text(report_of(kept(BUY, SELL, nasty)))
    first, second = csv.DictReader(io.StringIO(text))
    assert text.splitlines()[0].split(",") == COLUMNS
    assert second["symbol"] == "BTC/EUR"
    assert first["symbol"] == "'=cmd()/EUR"
    assert second["net"] == "BTC 0.07; EUR -3204.1"
    assert first["fees"] == "EUR -2.5"
    assert second["bought"] == "0.1"


@pytest.mark.parametrize("value", ["=1", "+1", "-1+2", "@x", "\tx", "-cmd", "-"])
def test_every_beginning_of_a_formula_is_defused(value: str) -> None:
    from privstream.outputs.report_lines import _cell  # noqa: PLC0415 - what is tested

    assert _cell(value) == f"'{value}"
    assert _cell("-12.5") == "-12.5"


@pytest.mark.parametrize("cells", [60, 80, 132, 200, None])
def test_the_table_fits_and_cuts_no_number(cells: int | None) -> None:
    found = report_of(
        kept(BUY, SELL, EARLIER, fill(7, symbol="DOGE/USDT", quantity="123456.789", fee="0"))
    )
    shown = list(lines(found, CALENDAR, cells))
    text = "\n".join(shown)
    assert cells is None or max(map(len, shown)) <= cells
    for number in ("123456.789", "0.03", "-53204.1", "+1.07"):
        assert number in text
    assert ("no room for" in text) == (cells in {60, 80})
    assert "volume by day, EUR" in text
    assert "2026-11-19  ▇▇▇" in text


def test_a_table_of_nothing_says_so_and_what_is_missing_stands_out() -> None:
    assert list(lines(report_of(kept(ORDER)), CALENDAR, 80))[1] == "none"
    lost = changed(GAP, complete=False, detail="no\x1b[2J answer")
    shown = "\n".join(lines(report_of(kept(BUY, lost)), CALENDAR, 80))
    assert "INCOMPLETE: what is missing" in shown
    assert "kraken  11:31:48 to 11:32:00  no\\x1b[2J answer" in shown


@pytest.mark.parametrize("source", ["sqlite:", "file:", ""])
def test_a_source_that_is_no_file_is_a_usage_error(source: str) -> None:
    with pytest.raises(UsageError):
        path_of(source)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_is_drawn_where_matplotlib_is_installed(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    from privstream.outputs.report_plot import checked, draw  # noqa: PLC0415 - needs it

    path = checked(str(tmp_path / f"report.{kind}"))
    draw(report_of(kept(BUY, SELL, EARLIER, fill(8, symbol="$x$/$Y$"))), path)
    assert path.read_bytes()[:5] in {b"\x89PNG\r", b"<?xml"}

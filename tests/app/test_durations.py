"""Spans and moments as people type them."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from privstream.app.durations import moment, seconds
from privstream.model.errors import UsageError
from privstream.model.times import from_nanos, to_nanos

NOW = to_nanos("2026-11-30T21:30:00.000000Z")
EAST = timezone(timedelta(hours=7))


def at(text: str, zone: tzinfo = UTC, now: int = NOW) -> str:
    return from_nanos(moment(text, now, zone))


@pytest.mark.parametrize(
    ("text", "total"), [("30", 30), ("1h30m", 5400), ("2w", 14 * 86400), ("1w2d", 9 * 86400)]
)
def test_a_span_is_a_sum_of_units(text: str, total: float) -> None:
    assert seconds(text) == total


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", "2026-11-30T19:30:00.000000Z"),
        ("2w", "2026-11-16T21:30:00.000000Z"),
        ("today", "2026-11-30T00:00:00.000000Z"),
        ("yesterday", "2026-11-29T00:00:00.000000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000000Z"),
        ("20261120", "2026-11-20T00:00:00.000000Z"),
        ("2026-11-20T10:30", "2026-11-20T10:30:00.000000Z"),
        ("2026-11-20 10:30:05.25", "2026-11-20T10:30:05.250000Z"),
        ("2026-11-20T00:00:00Z", "2026-11-20T00:00:00.000000Z"),
        ("2026-11-20T00:00:00+01:00", "2026-11-19T23:00:00.000000Z"),
        ("2026-11-20T00:00:00-0530", "2026-11-20T05:30:00.000000Z"),
        ("1795996800", "2026-11-30T00:00:00.000000Z"),
        ("1795996800.5", "2026-11-30T00:00:00.500000Z"),
        ("1795996800123", "2026-11-30T00:00:00.123000Z"),
        ("1795996800123456", "2026-11-30T00:00:00.123456Z"),
        ("1795996800123456789", "2026-11-30T00:00:00.123456Z"),
    ],
)
def test_a_moment_is_a_span_ago_a_day_a_time_or_an_epoch_time(text: str, expected: str) -> None:
    assert at(text) == expected


def test_days_and_times_without_an_offset_are_of_the_persons_clock() -> None:
    assert at("today", EAST) == "2026-11-30T17:00:00.000000Z"
    assert at("2026-11-20", EAST) == "2026-11-19T17:00:00.000000Z"
    assert at("2026-11-20T12:00", EAST) == "2026-11-20T05:00:00.000000Z"
    assert at("2026-11-20T12:00:00Z", EAST) == "2026-11-20T12:00:00.000000Z"


def test_midnight_is_of_that_day_where_clocks_were_changed_since() -> None:
    berlin, noon = ZoneInfo("Europe/Berlin"), to_nanos("2026-10-25T12:00:00.000000Z")
    assert at("today", berlin, noon) == "2026-10-24T22:00:00.000000Z"
    assert at("yesterday", berlin, noon) == "2026-10-23T22:00:00.000000Z"


def test_without_a_zone_it_is_this_computers() -> None:
    day = datetime.fromisoformat("2026-11-20T00:00:00").astimezone()
    assert moment("2026-11-20", NOW) == round(day.timestamp()) * 10**9


@pytest.mark.parametrize(
    "text",
    ["", "soon", "yesterday-ish", "1e9", "-2h", "2026-11", "٣h", "1795996800z", "2026-11-31"],
)
def test_what_is_no_moment_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        moment(text, NOW, UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-20T25:00", "2026-11-20T00:00+99:99", "2026-11-20T00:00:00Zz", "2026-02-30"]
)
def test_what_no_calendar_has_is_one_too(text: str) -> None:
    with pytest.raises(UsageError):
        moment(text, NOW, UTC)


@pytest.mark.parametrize("text", ["2999-01-01", "99999999999", "12345678901234567890"])
def test_what_is_still_to_come_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="to come"):
        moment(text, NOW, UTC)

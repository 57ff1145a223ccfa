"""The exchanges' spellings of a moment."""

import pytest

from privstream.model.times import from_epoch_seconds, from_millis, from_rfc3339, to_nanos


def test_microseconds_with_a_z_stay_as_they_are() -> None:
    assert from_rfc3339("2026-09-21T14:14:12.087185Z") == "2026-09-21T14:14:12.087185Z"


def test_other_fractions_are_cut_or_filled() -> None:
    assert from_rfc3339("2026-09-21T14:14:12Z") == "2026-09-21T14:14:12.000000Z"
    assert from_rfc3339("2026-09-21T14:14:12.0871854Z") == "2026-09-21T14:14:12.087185Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-21T14:14:12.0871854",  # as long as one with a Z
        "2026-99-99T14:14:12.087185Z",
        "2026-02-30T14:14:12Z",
        "2026-09-21 14:14:12",
        "yesterday",
    ],
)
def test_what_is_no_moment_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|month|isoformat|day"):
        from_rfc3339(text)


@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (1795952520123, "2026-11-29T11:42:00.123000Z"),
        ("1795952520123.9", "2026-11-29T11:42:00.123000Z"),
        (-1, "1969-12-31T23:59:59.999000Z"),
        (0, None),
    ],
)
def test_milliseconds_are_cut_never_rounded(millis: object, text: str | None) -> None:
    assert from_millis(millis) == text


def test_seconds_keep_six_decimals() -> None:
    assert from_epoch_seconds("1795952520.1234567") == "2026-11-29T11:42:00.123456Z"
    assert from_epoch_seconds("1795952520") == "2026-11-29T11:42:00.000000Z"
    assert from_epoch_seconds("-1.5") == "1969-12-31T23:59:59.500000Z"


@pytest.mark.parametrize("seconds", ["1e300", "999999999999", "-99999999999"])
def test_a_moment_of_no_calendar_is_refused(seconds: str) -> None:
    with pytest.raises(ValueError, match="calendar"):
        from_epoch_seconds(seconds)


def test_nanoseconds_are_told_of_our_own_spelling_only() -> None:
    assert to_nanos("2026-11-29T11:02:00.123456Z") == 1795950120123456000
    for text in ("2026-11-29T11:02:00.1+01:00", "2026-11-29T11:02:00Z", ""):
        with pytest.raises(ValueError, match="our spelling"):
            to_nanos(text)

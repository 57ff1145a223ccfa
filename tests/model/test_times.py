"""The exchanges' spellings of a moment."""

import pytest

from privstream.model.times import from_rfc3339


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

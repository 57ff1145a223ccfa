"""How far long work is."""

import io

import pytest

from privstream.outputs.progress import EMPTY, HERE, Progress, timeline


def shown(*, animated: bool, quiet: bool = False) -> str:
    stream = io.StringIO()
    progress = Progress(stream, animated=animated, quiet=quiet)
    for tenth in range(250):
        progress.show(f"{tenth} lines", tenth / 10, tenth / 250)
    progress.clear()
    return stream.getvalue()


def test_elsewhere_than_on_a_terminal_it_is_a_line_every_ten_seconds() -> None:
    assert shown(animated=False).splitlines() == [
        "privstream: 100 lines (40%)",
        "privstream: 200 lines (80%)",
    ]


def test_on_a_terminal_it_is_a_bar_that_is_taken_away_at_the_end() -> None:
    drawn = shown(animated=True).split("\r")
    assert "━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  50%  125 lines" in drawn
    assert drawn[-1] == ""
    assert not drawn[-2].strip()
    assert "\x1b" not in "".join(drawn)


@pytest.mark.parametrize("animated", [True, False])
def test_quiet_says_nothing_and_what_is_quick_neither(animated: bool) -> None:  # noqa: FBT001 - a parameter
    assert shown(animated=animated, quiet=True) == ""
    stream = io.StringIO()
    progress = Progress(stream, animated=animated, quiet=False)
    progress.show("one line\x1b", 5.0)
    progress.clear()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("at", "place"), [("2026-11-19 12:00", 0), ("2026-11-20 00:00", 9), ("2026-11-20 12:00", 19)]
)
def test_reading_back_is_shown_as_a_place_in_time(at: str, place: int) -> None:
    detail = f"reading back from 2026-11-19 12:00: 3 pages, 9 facts, at {at} UTC"
    line = timeline(detail, "2026-11-20T12:00:00.000000Z")
    assert line == EMPTY * place + HERE + EMPTY * (19 - place)


@pytest.mark.parametrize(
    "detail", ["", "reading back", "from 2026-99-99 12:00: x, at 2026-11-20 00:00 UTC"]
)
def test_what_says_no_place_has_none(detail: str) -> None:
    assert timeline(detail, "2026-11-20T12:00:00.000000Z") == ""

"""What is said on stderr, and when."""

import io
import json
import os
import pty
import re
import termios
from datetime import UTC

import pytest

from privstream.model.errors import LoginRefused, OutputFailed
from privstream.outputs.calendar import Calendar
from privstream.outputs.status_line import StatusLine
from tests.outputs.output_events import status

NOW = "2026-11-20T11:32:00.500000Z"
SOON = "2026-11-20T11:32:00.900000Z"
MUCH_LATER = "2026-11-20T11:32:09.500000Z"
LATER = "2026-11-20T11:32:02.500000Z"
CLEAR = "\r\x1b[K"


def spoken(*, animated: bool = False, quiet: bool = False) -> tuple[StatusLine, io.StringIO]:
    stream = io.StringIO()
    line = StatusLine(stream, animated=animated, quiet=quiet, calendar=Calendar(UTC))
    return line, stream


def last_drawn(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;]+m", "", stream.getvalue().rsplit(CLEAR, 1)[-1])


def test_each_change_of_state_is_a_line() -> None:
    line, stream = spoken()
    line.update(status("connecting", attempt=1))
    line.update(status("live", detail="orders, trades, balances"))
    line.update(status("retrying", detail="reset by peer", attempt=1, retry_in=1.2))
    line.update(status("connecting", attempt=2))
    line.update(status("retrying", detail="refused", attempt=2, retry_in=2.5))
    line.update(status("live", detail="orders, trades, balances"))
    line.update(status("stopped"))
    assert stream.getvalue().splitlines() == [
        "privstream: kraken: connecting",
        "privstream: kraken: Ready: orders, trades, balances",
        "privstream: kraken: connection lost (reset by peer), trying again in 1.2 s",
        "privstream: kraken: cannot connect (refused), trying again in 2.5 s",
        "privstream: kraken: Ready: orders, trades, balances",
        "privstream: kraken: stopped",
    ]


def test_the_same_state_again_is_no_news() -> None:
    line, stream = spoken()
    for _ in range(3):
        line.update(status("connecting"))
    for _ in range(3):
        line.update(status("live"))
    assert stream.getvalue() == "privstream: kraken: connecting\nprivstream: kraken: Ready\n"


@pytest.mark.parametrize("animated", [True, False])
def test_ready_is_said_once_for_each_live_and_at_no_other_time(animated: bool) -> None:  # noqa: FBT001 - a parameter
    line, stream = spoken(animated=animated)
    for state in ("connecting", "retrying", "connecting", "stopped"):
        line.update(status(state, detail="x"))
        line.draw(NOW)
    assert "Ready" not in stream.getvalue()
    for _ in range(2):
        line.update(status("retrying", detail="x"))
        line.update(status("live", detail="orders"))
        line.draw(NOW)
    assert stream.getvalue().count("Ready: orders") == 2


def test_an_account_is_called_by_its_own_name() -> None:
    line, stream = spoken()
    line.update(status("connecting", account="desk"))
    assert stream.getvalue() == "privstream: desk: connecting\n"


def test_without_animation_nothing_is_drawn() -> None:
    line, stream = spoken()
    line.update(status("connecting"))
    said = stream.getvalue()
    line.draw(NOW)
    line.told(3)
    line.draw(NOW)
    line.clear()
    assert stream.getvalue() == said


def test_the_line_at_the_bottom_says_what_goes_on() -> None:
    line, stream = spoken(animated=True)
    line.update(status("connecting"))
    line.draw(NOW)
    assert last_drawn(stream) == "◌ kraken connecting …"
    line.update(status("live", detail="orders, trades"))
    line.draw(SOON)
    assert last_drawn(stream) == "● live  kraken  orders, trades"
    line.told(1)
    line.draw(LATER)
    assert last_drawn(stream).endswith("  orders, trades  1 event  last 11:32:02")
    line.silent_for = lambda _: 3.9
    line.told(11)
    line.draw(MUCH_LATER)
    assert last_drawn(stream).endswith("  heard 3 s ago  12 events  last 11:32:09")


def test_the_channels_yield_where_the_line_is_too_long_for_them() -> None:
    line, stream = spoken(animated=True)
    line.update(
        status("live", detail="orders, trades, balances, positions, notices", account="a" * 30)
    )
    line.silent_for = lambda _: 0.2
    line.draw(NOW)
    assert last_drawn(stream) == f"● live  {'a' * 30}  heard 0 s ago"


def test_of_several_accounts_the_one_that_is_silent_for_long_is_named() -> None:
    line, stream = spoken(animated=True)
    for name in ("kraken", "bitfinex", "zerocap"):
        line.update(status("live", account=name))
    line.silent_for = {"kraken": 1.0, "bitfinex": 25.0}.get
    line.draw(NOW)
    assert last_drawn(stream).endswith("  heard 25 s ago (bitfinex)")


def test_it_is_redrawn_ten_times_a_second_at_most() -> None:
    line, stream = spoken(animated=True)
    line.update(status("live"))
    for count in range(100):
        line.told(1)
        line.draw(f"2026-11-20T11:32:00.{count:02}0000Z")
    assert stream.getvalue().count(CLEAR) == 10


def test_without_colour_it_is_drawn_all_the_same_and_no_escape_sequence_is_written() -> None:
    stream = io.StringIO()
    line = StatusLine(stream, animated=True, quiet=False, colour=False, calendar=Calendar(UTC))
    line.update(status("live", detail="orders"))
    line.draw(NOW)
    line.update(status("live", detail=None))
    line.draw(LATER)
    line.clear()
    shown = stream.getvalue().split("\n", 1)[1].split("\r")
    assert "\x1b" not in stream.getvalue()
    assert shown == ["● live  kraken  orders", " " * 22, "● live  kraken", " " * 14, ""]


def test_how_far_reading_back_is_is_said_every_ten_seconds() -> None:
    line, stream = spoken()
    for second in range(25):
        now = f"2026-11-20T11:32:{second:02}.000000Z"
        line.update(status("catching_up", detail=f"{second} pages", received=now))
    said = [text.rsplit(": ", 1)[-1] for text in stream.getvalue().splitlines()]
    assert said == ["0 pages", "10 pages", "20 pages"]


def test_a_batch_of_nothing_is_no_event() -> None:
    line, stream = spoken(animated=True)
    line.update(status("live"))
    line.told(0)
    line.draw(NOW)
    assert last_drawn(stream) == "● live  kraken"


def test_the_wait_for_the_next_attempt_counts_down() -> None:
    line, stream = spoken(animated=True)
    line.update(status("retrying", detail="reset by peer", attempt=2, retry_in=3.2))
    line.draw(NOW)
    assert last_drawn(stream) == "↻ kraken retrying in 3 s: reset by peer (attempt 2)"
    line.draw(LATER)
    assert last_drawn(stream) == "↻ kraken retrying in 1 s: reset by peer (attempt 2)"
    line.draw("2026-11-20T11:33:00.000000Z")
    assert last_drawn(stream) == "↻ kraken retrying: reset by peer (attempt 2)"


def test_the_line_is_taken_away_for_others_and_comes_back() -> None:
    line, stream = spoken(animated=True)
    line.update(status("connecting"))
    line.draw(NOW)
    drawn = stream.getvalue()
    line.draw(NOW)
    assert stream.getvalue() == drawn  # nothing new, nothing written
    line.clear()
    line.clear()
    assert stream.getvalue() == drawn + CLEAR
    line.draw(NOW)
    assert stream.getvalue() == drawn + CLEAR + drawn


def test_a_sentence_is_never_written_behind_the_line() -> None:
    line, stream = spoken(animated=True)
    line.update(status("connecting"))
    line.draw(NOW)
    line.say("one thing")
    line.draw(NOW)
    line.fail(OutputFailed("another"), as_json=True)
    for sentence in ("privstream: one thing\n", '{"error":"output"'):
        assert CLEAR + sentence in stream.getvalue()


def test_several_accounts_are_one_line_with_the_worst_first() -> None:
    line, stream = spoken(animated=True)
    for name in ("kraken", "bitfinex", "zerocap"):
        line.update(status("live", account=name, detail="orders"))
    line.update(status("connecting", account="indodax"))
    line.update(status("stopped", account="zerocap"))
    line.update(status("retrying", account="bitfinex", detail="maintenance of the exchange now"))
    line.draw(NOW)
    assert last_drawn(stream) == (
        "■ zerocap stopped  ↻ bitfinex retrying: maintenance of the…  ◌ indodax…"
    )


def test_accounts_that_are_all_live_are_named_together() -> None:
    line, stream = spoken(animated=True)
    for name in ("kraken", "bitfinex"):
        line.update(status("live", account=name, detail="orders"))
    line.draw(NOW)
    assert last_drawn(stream) == "● live  kraken bitfinex"


def test_the_line_never_wraps() -> None:
    terminal, ours = pty.openpty()
    os.set_blocking(terminal, False)
    with os.fdopen(ours, "w") as stream:
        line = StatusLine(stream, animated=True, quiet=False)
        line.update(status("retrying", detail="漢字" * 200))
        line.draw(NOW)
        shown = re.sub(r"\x1b\[[0-9]*[mK]", "", os.read(terminal, 4096).decode()).strip()
    os.close(terminal)
    assert shown.endswith("…")
    assert len(shown) < 60  # 79 cells, most of them two to a character


def test_quiet_says_errors_only() -> None:
    line, stream = spoken(animated=True, quiet=True)
    line.update(status("connecting"))
    line.update(status("live"))
    line.draw(NOW)
    line.say("anything")
    assert stream.getvalue() == ""
    line.fail(OutputFailed("disk full"), as_json=False)
    assert stream.getvalue() == "privstream: disk full\n"


REFUSED = LoginRefused("Kraken refused the key: EAPI:Invalid key\x1b[2J", "create a new one")


def test_a_failure_is_one_line_with_what_to_do() -> None:
    line, stream = spoken()
    line.fail(REFUSED.about("kraken", "desk"), as_json=False)
    assert stream.getvalue() == (
        "privstream: desk: Kraken refused the key: EAPI:Invalid key\\x1b[2J (create a new one)\n"
    )


def test_a_failure_for_a_program_is_one_line_of_json() -> None:
    line, stream = spoken()
    line.fail(REFUSED.about("kraken", "desk"), as_json=True)
    said = stream.getvalue()
    assert said.endswith("\n")
    assert said[:-1].isprintable()
    assert list(json.loads(said).items()) == [
        ("error", "login"),
        ("exchange", "kraken"),
        ("account", "desk"),
        ("message", "Kraken refused the key: EAPI:Invalid key\x1b[2J"),
        ("hint", "create a new one"),
        ("retryable", False),
    ]


def test_a_file_name_that_is_no_text_can_be_told() -> None:
    line, stream = spoken()
    line.fail(OutputFailed("cannot open x\udc80"), as_json=True)
    assert json.loads(stream.getvalue())["message"] == "cannot open x\\udc80"
    line.say("x\udc80\u202e\r")
    assert stream.getvalue().endswith("privstream: x\\udc80\\u202e\\x0d\n")


def test_what_an_exchange_says_commands_nothing() -> None:
    for animated in (True, False):
        line, stream = spoken(animated=animated)
        line.update(status("retrying", detail="\x1b]0;x\x07\u202e\n", account="a\x1b"))
        line.draw(NOW)
        shown = stream.getvalue().replace(CLEAR, "").rstrip("\n")
        assert re.sub(r"\x1b\[[0-9;]+m", "", shown).isprintable()


class Unwritable(io.StringIO):
    """A stderr whose reader has gone."""

    def write(self, _: str, /) -> int:
        raise BrokenPipeError


def test_a_stderr_that_is_gone_stops_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, Unwritable(), closed):
        line = StatusLine(stream, animated=True, quiet=False)
        line.update(status("live"))
        line.draw(NOW)
        line.fail(OutputFailed("x"), as_json=False)


def test_on_a_terminal_no_word_of_a_sentence_is_broken_and_it_stays_one_line() -> None:
    terminal, ours = pty.openpty()
    termios.tcsetwinsize(ours, (24, 40))
    with os.fdopen(ours, "w") as stream:
        line = StatusLine(stream, animated=False, quiet=False)
        line.say("what the exchanges tell with a delay may still come, or so it seems")
        shown = os.read(terminal, 4096).decode().rstrip("\r\n")
    os.close(terminal)
    rows = [shown[at : at + 40].rstrip() for at in range(0, len(shown), 40)]
    assert rows == [
        "privstream: what the exchanges tell with",
        " a delay may still come, or so it seems",
    ]
    assert "with a delay" in shown, "copied it is what it was"

"""Told when not looking: gaps that are not complete, silence, and what was chosen."""

import msgspec
import pytest

from privstream.app.telling import SILENCE, Notifier, notifier_for
from privstream.model.choosing import Choice, kinds_of
from privstream.model.errors import LoginRefused, UsageError
from privstream.model.events import AnyEvent
from tests.outputs.output_events import BALANCE, BASE, GAP, NOTICE, ORDER, TRADE, status, trade
from tests.outside import environment

changed = msgspec.structs.replace


class Desk:
    """A person, a clock, and what they were told."""

    def __init__(self, only: str = "fills,gaps,silence", *, masked: bool = False) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.urgent: list[str] = []
        self.said: list[str] = []
        self.trouble: str | None = None
        self.notifier = Notifier(
            Choice(kinds_of(only)),
            self,
            started=BASE["time"],
            monotonic=lambda: self.now,
            masked=masked,
            say=self.said.append,
        )

    def tell(self, text: str, *, urgent: bool = False) -> None:
        self.told.append(text)
        if urgent:
            self.urgent.append(text)

    def end(self) -> None:
        self.told.append("end")

    def take(self, *events: AnyEvent) -> list[str]:
        self.notifier.take(events)
        return self.told

    def waits(self, seconds: float) -> list[str]:
        self.now += seconds
        self.notifier.look()
        return self.told


def test_what_was_chosen_is_told_and_what_is_from_before_the_run_is_not() -> None:
    old = trade(time="2026-11-20T11:31:59.000000Z", source="rest")
    missed = trade(source="rest", side="sell")
    told = Desk().take(ORDER, TRADE, BALANCE, NOTICE, trade(source="snapshot"), old, missed)
    assert told == [
        "kraken: fill, buy BTC/EUR 0.00400000 at 84210.10",
        "kraken: fill, sell BTC/EUR 0.00400000 at 84210.10",
    ]


def test_a_gap_that_lost_something_says_so() -> None:
    lost = changed(GAP, complete=False, detail="history did not answer")
    assert Desk().take(GAP, lost) == [
        "kraken: gap, disconnected",
        "kraken: INCOMPLETE GAP: something may be missing, disconnected (history did not answer)",
    ]


def test_an_account_that_is_not_heard_for_long_is_told_of_once_and_when_it_is_back() -> None:
    desk = Desk()
    desk.take(status("live"), status("retrying"), status("connecting"))
    assert desk.waits(SILENCE - 1) == []
    assert desk.waits(1) == ["kraken: NOT CONNECTED for 30 s"]
    desk.take(status("retrying"))
    assert len(desk.waits(100)) == 1
    assert desk.take(status("catching_up"))[1:] == ["kraken: heard again after 130 s"]
    assert len(desk.waits(100)) == 2


def test_a_short_interruption_is_no_silence_and_neither_is_the_end() -> None:
    desk = Desk()
    desk.take(status("retrying"))
    desk.waits(SILENCE - 1)
    desk.take(
        status("live"), status("retrying", account="other"), status("stopped", account="other")
    )
    assert desk.waits(1000) == []


def test_an_account_that_ended_for_good_is_told_of() -> None:
    desk = Desk()
    desk.take(status("retrying"))
    desk.notifier.lost(LoginRefused("Kraken refused the key").about("kraken", "desk"))
    assert desk.told == ["desk: STOPPED, Kraken refused the key"]
    quiet = Desk("fills")
    quiet.notifier.lost(LoginRefused("Kraken refused the key"))
    quiet.take(status("retrying"))
    assert quiet.waits(1000) == []


def test_what_may_be_lost_goes_before_what_is_not() -> None:
    desk = Desk()
    desk.take(TRADE, GAP, changed(GAP, complete=False), status("retrying"))
    desk.waits(SILENCE)
    desk.notifier.lost(LoginRefused("Kraken refused the key").about("kraken", "kraken"))
    assert [text.partition(",")[0] for text in desk.urgent] == [
        "kraken: INCOMPLETE GAP: something may be missing",
        "kraken: NOT CONNECTED for 30 s",
        "kraken: STOPPED",
    ]


def test_under_privacy_no_amount_and_no_id_is_told() -> None:
    desk = Desk("fills,orders,gaps,notices,silence", masked=True)
    lost = changed(GAP, complete=False, detail="order OQCLML-BW3P3-BUCMWZ over 12.5 was lost")
    desk.take(TRADE, ORDER, lost, changed(NOTICE, text="order 271828 over 0.5 BTC"))
    desk.notifier.lost(LoginRefused("no order OQCLML-BW3P3-BUCMWZ").about("kraken", "kraken"))
    assert len(desk.told) == 5
    for secret in ("0.004", "84210", "OQCLML", "12.5", "271828", "0.5"):
        assert secret not in "".join(desk.told)


def test_that_nothing_can_be_shown_is_said_once() -> None:
    desk = Desk()
    desk.waits(1)
    assert desk.said == []
    desk.trouble = "/usr/bin/notify-send: no bus"
    for _ in range(2):
        desk.waits(1)
    (said,) = desk.said
    assert said.endswith("is not shown: /usr/bin/notify-send: no bus")


@pytest.mark.parametrize(
    ("way", "only", "values"),
    [(None, "fills", []), (None, None, ["1EUR"]), ("mail", None, []), ("bell", "fill", [])],
)
def test_what_cannot_be_told_is_a_usage_error(
    way: str | None, only: str | None, values: list[str]
) -> None:
    with pytest.raises(UsageError):
        notifier_for(environment({}), way, only, values)


@pytest.mark.parametrize("way", ["desktop", "bell"])
def test_where_nothing_can_be_shown_that_is_said_at_the_start(
    way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notifier_for(environment({"PATH": "/nowhere"}), way, None, []) is None
    assert f"--notify {way}: " in capsys.readouterr().err

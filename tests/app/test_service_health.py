"""What an operator is told: not well with a reason, and numbers under the names that are promised."""

from pathlib import Path
from typing import Any

import pytest

from privstream.app.service_health import AGING, DRIFT_SHOWN, GRACE, Health, Reason
from privstream.app.service_sinks import Served
from privstream.delivery.courier import Courier
from privstream.delivery.courier import Health as SinkHealth
from privstream.delivery.spool import Buffer
from privstream.model.errors import OutputFailed, Refused
from privstream.model.events import Gap, Recovered, State, Status
from privstream.settings.sinks import from_command_line
from tests.outputs.output_events import TRADE

NOW = "2026-11-20T11:32:00.000000Z"
NOW_NS = 1_795_174_320_000_000_000


class World:
    """An account and a sink, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        buffer = Buffer("hook", 1 << 20, "block")
        letters: Any = None
        self.courier = Courier(
            "hook",
            Nowhere(),
            [],
            buffer,
            wanted=lambda _row: True,
            dead_letters=letters,
            say=lambda _text: None,
            where="https://hook",
        )
        settings = from_command_line("https://hook.example/in")
        self.served = Served(settings, buffer, self.courier)
        self.health = Health(
            lambda: [self.courier], monotonic=lambda: self.now, wall_ns=lambda: NOW_NS
        )
        self.health.began("desk", "kraken")

    def state(self, state: State) -> None:
        self.health.take("desk", [status(state)])

    def reasons(self) -> list[tuple[str, str | None]]:
        return [(one.reason, one.account or one.sink) for one in self.health.reasons()]


class Nowhere:
    def deliver(self, _rows: Any, /) -> None:
        """Nothing is delivered here."""

    def close(self) -> None:
        """Nothing is held."""


def status(state: State) -> Status:
    return Status("kraken", "desk", None, NOW, NOW, "stream", None, state, None, None, None)


def gap(cause: str, *, complete: bool = True) -> Gap:
    nothing = Recovered(orders=0, trades=0, balances=0)
    return Gap(
        "kraken", "desk", None, None, NOW, "stream", None, cause, NOW, NOW, complete, nothing, None
    )


@pytest.fixture
def world() -> World:
    return World()


def test_an_account_has_its_time_to_get_live(world: World) -> None:
    assert world.reasons() == []
    world.now += GRACE
    assert world.reasons() == [("mute", "desk")]
    world.state("live")
    assert world.reasons() == []


def test_an_account_that_was_lost_is_mute_after_a_while_however_often_it_is_tried(
    world: World,
) -> None:
    world.state("live")
    world.now += 5000
    world.state("retrying")
    world.now += GRACE / 2
    world.state("connecting")
    assert world.reasons() == []
    world.now += GRACE / 2
    assert world.reasons() == [("mute", "desk")]


def test_reading_back_is_live(world: World) -> None:
    world.state("catching_up")
    world.now += GRACE
    assert world.reasons() == []


def test_what_a_comparison_found_shows_for_a_while(world: World) -> None:
    world.state("live")
    world.health.take("desk", [gap("drift")])
    assert world.reasons() == [("drift", "desk")]
    world.now += DRIFT_SHOWN
    assert world.reasons() == []


def test_an_account_that_ended_is_not_well_until_it_comes_again(world: World) -> None:
    world.state("live")
    world.health.ended("desk", Refused("the key is wrong").about("kraken", "desk"))
    assert world.health.reasons() == [Reason("ended", "the key is wrong", account="desk")]
    assert world.health.summary() == "0 of 1 account live; desk: ended (the key is wrong)"
    world.health.began("desk", "kraken")
    assert world.reasons() == []


def test_an_account_that_was_taken_out_is_no_matter(world: World) -> None:
    world.health.ended("desk", None)
    world.now += GRACE
    assert world.reasons() == []


def test_a_sink_that_is_down_and_what_waits_there(world: World) -> None:
    world.state("live")
    world.courier.health = SinkHealth(is_up=False, problem="no route")
    assert world.health.summary() == "1 of 1 account live; hook: down (no route)"
    world.courier.health.oldest = "2026-11-20T11:27:00.000000Z"
    assert AGING == 300
    assert world.reasons() == [("down", "hook"), ("aging", "hook")]


def test_a_sink_that_has_stopped_for_good(world: World) -> None:
    world.state("live")
    world.courier.health = SinkHealth(is_up=False, problem="it wants no more")
    world.courier.error = OutputFailed("it wants no more")
    assert world.reasons() == [("stopped", "hook")]


def test_others_know_reasons_too(world: World) -> None:
    world.state("live")
    world.health.others.append(lambda: [Reason("fenced", "another host has it", account="desk")])
    assert world.reasons() == [("fenced", "desk")]


# --- numbers ---------------------------------------------------------------------------------


def numbers(world: World) -> dict[str, float]:
    """The lines of the page, by what stands before the value."""
    pytest.importorskip("prometheus_client", reason="needs the extra `metrics`")
    from privstream.app.service_metrics import Lease, Metrics  # noqa: PLC0415 - optional

    metrics = Metrics(
        world.health,
        lambda: [world.served],
        lambda _account: 990.0,
        lambda: [Lease("desk", held=True, epoch=7, takeovers=2)],
        lambda: {"log": 12},
    )
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


PROMISED = {
    "build_info",
    "account_live",
    "events_total",
    "event_delay_seconds_bucket",
    "event_delay_seconds_count",
    "event_delay_seconds_sum",
    "last_frame_timestamp_seconds",
    "reconnects_total",
    "gaps_total",
    "drift_total",
    "sink_up",
    "sink_sent_events_total",
    "sink_errors_total",
    "sink_dead_letters_total",
    "sink_discarded_events_total",
    "buffer_events",
    "buffer_bytes",
    "buffer_oldest_timestamp_seconds",
    "lease_held",
    "lease_epoch",
    "takeovers_total",
}


def test_every_number_that_is_promised_is_there_and_no_other(world: World) -> None:
    world.health.take("desk", [gap("disconnected")])
    world.courier.health.oldest = NOW
    names = {line.partition("{")[0] for line in numbers(world)}
    assert names == {f"privstream_{name}" for name in PROMISED}


def test_numbers_say_what_happened(world: World) -> None:
    world.state("live")
    world.health.take("desk", [TRADE, gap("disconnected", complete=False), gap("drift")])
    world.served.buffer.add(120, 2)
    world.courier.health = SinkHealth(sent=5, errors=3, settled=1)
    found = numbers(world)
    assert found['privstream_account_live{account="desk"}'] == 1
    assert found['privstream_events_total{account="desk",type="trade"}'] == 1
    assert found['privstream_events_total{account="desk",type="gap"}'] == 2
    assert found['privstream_reconnects_total{account="desk",cause="disconnected"}'] == 1
    assert found['privstream_gaps_total{account="desk",complete="false"}'] == 1
    assert found['privstream_drift_total{account="desk"}'] == 1
    assert found["privstream_event_delay_seconds_count"] == 1
    assert found['privstream_sink_sent_events_total{sink="hook"}'] == 5
    assert found['privstream_sink_errors_total{kind="settled",sink="hook"}'] == 1
    assert found['privstream_buffer_bytes{sink="hook"}'] == 120
    assert found['privstream_sink_sent_events_total{sink="log"}'] == 12
    assert found['privstream_lease_epoch{account="desk"}'] == 7


def test_no_number_names_an_order_or_an_account_of_the_exchange(
    world: World, tmp_path: Path
) -> None:
    world.health.take("desk", [TRADE])
    text = " ".join(numbers(world))
    named = (TRADE.trade_id, TRADE.order_id or "", str(tmp_path))
    assert not [word for word in named if word in text]

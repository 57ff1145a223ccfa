"""How faults are written, and that random ones are repeatable."""

from itertools import islice, pairwise

import pytest

from privstream.model.errors import UsageError
from privstream.simulator.faults import CHAOS_KINDS, KINDS, Fault, When, chaos, parse
from privstream.simulator.faults.grammar import FOREVER, TAKES, parse_now

WRITTEN = {
    "drop@10s": Fault("drop", When("after", 10)),
    "drop=half@500ms": Fault("drop", When("after", 0.5), word="half"),
    "reset@every=1m": Fault("reset", When("every", 60)),
    "stall@n=100": Fault("stall", When("n", 100), seconds=FOREVER),
    "stall=8@3": Fault("stall", When("after", 3), seconds=8),
    "mute=all:30s@connect=2": Fault("mute", When("connect", 2), word="all", seconds=30),
    "duplicate@n=3": Fault("duplicate", When("n", 3), count=2),
    "duplicate=3:10@n=3": Fault("duplicate", When("n", 3), count=3, seconds=10),
    "reorder=5@10s": Fault("reorder", When("after", 10), count=5),
    "gap@n=7": Fault("lose", When("n", 7), count=1),
    "expire@10s": Fault("expire", When("after", 10)),
    "refuse@10s": Fault("refuse", When("after", 10), word="key", seconds=FOREVER),
    "refuse=nonce@10s": Fault("refuse", When("after", 10), word="nonce", seconds=FOREVER),
    "maintenance=90s@10s": Fault("maintenance", When("after", 10), seconds=90),
    "close=1012@10s": Fault("close", When("after", 10), count=1012),
    "close=4000:at 5:00 @ noon@10s": Fault(
        "close", When("after", 10), count=4000, text="at 5:00 @ noon"
    ),
    "http=429:2m@10s": Fault("http", When("after", 10), count=429, seconds=120),
    "drip=0@n=1": Fault("drip", When("n", 1), seconds=0),
    "huge=5000000@10s": Fault("huge", When("after", 10), count=5_000_000),
    "junk=101@0s": Fault("junk", When("after", 0), count=101),
    "swallow@0s": Fault("swallow", When("after", 0), count=1),
    "swallow=3:cut@connect=1": Fault("swallow", When("connect", 1), count=3, word="cut"),
}
WRONG = [
    "drop",
    "drop@",
    "drop@soon",
    "drop@=10s",
    "drop@later=10s",
    "drop@every=0s",
    "drop@n=0",
    "drop@n=1.5",
    "drop=3@10s",
    "explode@10s",
    "@10s",
    "close@10s",
    "close=999@10s",
    "close=abc@10s",
    f"close=1000:{'x' * 124}@10s",
    "http@10s",
    "http=200@10s",
    "stall=3:4@10s",
    "mute=all:all@10s",
    "duplicate=1@10s",
    "refuse=twice@10s",
    "expire=1@10s",
    "drop=@10s=",
    "http=503:-1@10s",
    "stall=1e9@10s",
    "swallow=0@10s",
    "swallow=half@10s",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_fault_is_read_as_it_was_meant(text: str) -> None:
    assert parse(text) == WRITTEN[text]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_printed_of_a_fault_can_be_typed_again(text: str) -> None:
    fault = parse(text)
    assert parse(str(fault)) == fault


def test_every_kind_is_written_somewhere_here() -> None:
    assert {fault.kind for fault in WRITTEN.values()} == set(KINDS) == set(TAKES)


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_read_is_a_usage_error_that_quotes_it(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        parse(text)


def test_a_fault_for_now_has_no_moment() -> None:
    assert parse_now("close=1012:restart") == Fault("close", count=1012, text="restart")
    assert str(parse_now("http=503:5")) == "http=503:5s"


# --- chaos -----------------------------------------------------------------------------


def drawn(seed: str, count: int = 300) -> list[Fault]:
    return list(islice(chaos(4.0, seed), count))


def test_the_same_seed_gives_the_same_faults_at_the_same_times() -> None:
    assert drawn("7/kraken") == drawn("7/kraken")
    assert drawn("7/kraken") != drawn("8/kraken")
    assert drawn("7/kraken") != drawn("7/indodax")


def test_chaos_is_the_same_on_every_machine() -> None:
    first = [str(fault) for fault in drawn("1/kraken", 3)]
    assert first == ["reset=half@5.18s", "refuse=nonce@8.085s", "stall@19.822s"]


def test_random_faults_come_about_so_often_and_are_of_every_kind() -> None:
    faults = drawn("3/zerocap", 600)
    moments = [0.0, *(fault.when.value for fault in faults)]
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert min(waits) >= 1.999
    assert sorted(waits)[len(waits) * 9 // 10] <= 6.001
    assert 3.8 < moments[-1] / len(faults) < 4.5
    assert {fault.kind for fault in faults} == set(CHAOS_KINDS) == set(KINDS) - {"swallow"}


def test_every_random_fault_can_be_typed() -> None:
    for fault in drawn("5/poloniex"):
        assert parse(str(fault)) == fault


def test_after_a_random_fault_a_client_may_always_come_back() -> None:
    for fault in drawn("9/bitfinex", 600):
        assert fault.word != "key"
        assert fault.kind != "close" or fault.count in {1000, 1001, 1011, 1012, 1013}
        assert fault.kind not in {"mute", "maintenance", "http"} or fault.seconds <= 8


def test_no_client_is_refused_twice_in_a_row() -> None:
    moments = [f.when.value for f in drawn("2/kraken", 900) if f.kind == "refuse"]
    assert len(moments) > 10
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 60


def test_only_the_kinds_that_are_wanted_are_drawn() -> None:
    faults = islice(chaos(1.0, "x", ["drop", "lose"]), 50)
    assert {fault.kind for fault in faults} == {"drop", "lose"}

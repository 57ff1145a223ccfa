"""`--symbol` takes any spelling, and says so where nothing comes of it."""

from pathlib import Path
from typing import Any

import pytest

from privstream import exchanges
from privstream.app import symbols
from privstream.app.replay import ReplayRequest, replay
from privstream.app.symbols import UnseenSymbols, all_names, common_names, not_seen
from privstream.outputs.console import Format
from privstream.simulator import find
from tests.outputs.output_events import ORDER, status
from tests.outside import environment

SPELLINGS = [
    ("kraken", ("XBT/EUR", "XBTEUR", "BTCEUR", "XXBTZEUR", "btc/eur"), "BTC/EUR"),
    ("bitfinex", ("tBTCUSD", "BTC/USD", "btcusd"), "BTC/USD"),
    ("poloniex", ("BTC_USDT", "btc_usdt", "BTC/USDT"), "BTC/USDT"),
    ("indodax", ("doge_btc", "dogebtc", "DOGE/BTC"), "DOGE/BTC"),
    ("zerocap", ("BTC/AUD", "btc/aud"), "BTC/AUD"),
]


@pytest.mark.parametrize(("name", "typed", "common"), SPELLINGS)
def test_any_spelling_is_the_same_symbol(name: str, typed: tuple[str, ...], common: str) -> None:
    kind = exchanges.find(name)
    assert common_names(kind, typed) == {common}
    assert all_names(kind, typed) == {common, *(text.upper() for text in typed)}


def watched(*typed: str) -> tuple[UnseenSymbols, list[str]]:
    said: list[str] = []
    account = find("kraken")(seed=1, rate=1.0).account("http://127.0.0.1:1", {})
    return UnseenSymbols([exchanges.find("kraken")(account)], typed, said.append), said


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "WAIT", 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_symbol_of_which_nothing_was_seen_is_said_once_after_the_picture() -> None:
    unseen, said = watched("XBTEUR", "ETH/EUR")
    unseen.look()
    assert said == []
    unseen.take([ORDER, status("live")])
    unseen.look()
    unseen.look()
    [sentence] = said
    assert sentence.startswith("nothing has been seen of ETH/EUR so far")


@pytest.mark.parametrize(
    ("typed", "common"), [("BCT/EUR", "BTC/EUR"), ("ETHEURO", "ETH/EUR"), ("doge_ust", "DOGE/USDT")]
)
def test_a_misspelt_symbol_is_answered_with_one_that_is_traded_much(
    typed: str, common: str
) -> None:
    unseen, said = watched(typed)
    unseen.conclude()
    assert f"{typed} (did you mean {common}?)" in said[-1]


def test_a_symbol_that_is_there_and_quiet_is_not_taken_for_a_misspelt_one() -> None:
    unseen, said = watched("XBTEUR", "ETH/EUR", "PEPE/EUR")
    unseen.conclude()
    assert "did you mean" not in said[-1].partition("PEPE")[0]


def test_the_picture_has_some_seconds_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    unseen, said = watched("ETH/EUR")
    unseen.take([status("live")])
    unseen.look()
    assert said == []
    monkeypatch.setattr("time.monotonic", lambda: float("inf"))
    unseen.look()
    assert len(said) == 1


def test_what_can_be_no_market_is_said_at_the_start() -> None:
    _, said = watched("?!")
    assert said == ["no market of Kraken is called ?!"]


def test_who_wants_all_is_told_nothing() -> None:
    unseen, said = watched()
    unseen.take([status("live")])
    monotonic: Any = unseen
    monotonic._due = 0.0
    unseen.look()
    assert said == []


def test_a_replay_without_a_symbol_that_was_wanted_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "frames").write_text('{"channel":"heartbeat"}\n')
    request = ReplayRequest(
        file=str(tmp_path / "frames"), exchange="kraken", symbols=("ETHEUR", "?!")
    )
    assert replay(environment({}), request, Format.JSONL) == 0
    said = capfd.readouterr()
    assert said.out == ""
    assert "no market of Kraken is called ?!" in said.err
    assert "nothing has been seen of ETHEUR, ?! so far" in said.err


def test_of_a_report_too_what_nothing_was_seen_of_is_said_with_what_was_meant() -> None:
    seen = ["BTC/EUR", "ETH/USD"]
    assert not_seen(["xbteur", "tETHUSD", "BTC/ERU", "1inch"], ["kraken", "bitfinex"], seen) == [
        "BTC/ERU (did you mean BTC/EUR?)",
        "1inch",
    ]
    assert not_seen(["eth/usd"], [], seen) == []

"""A new exchange is one file here and one there: no list, enum or match knows it."""

import shutil
from pathlib import Path

import pytest

from privstream.model.account import Account, Endpoints, Secret
from privstream.model.reports import Fill, Known
from tests.cli.conftest import Program
from tests.playbook import Playbook, like
from tests.rest_play import answer, play
from tests.sixth.exchange import Sixtex

HERE = Path(__file__).parent
WITH_A_SIXTH = """
import sys
from pathlib import Path
import privstream.exchanges, privstream.simulator
from privstream.__main__ import main
privstream.exchanges.__path__.append("{folder}/exchanges")
privstream.simulator.__path__.append("{folder}/simulator")
main()
"""
"""The program, whose two folders hold a file more."""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    for half, room in (("exchange", "exchanges"), ("simulator", "simulator")):
        (tmp_path / room).mkdir()
        shutil.copy(HERE / "sixth" / f"{half}.py", tmp_path / room / "sixtex.py")
    return Program(tmp_path, launcher=("-c", WITH_A_SIXTH.format(folder=tmp_path)))


def test_it_is_streamed_simulated_and_listed(program: Program) -> None:
    ended = program("watch", "sixtex", "--simulate", "--count", "3")
    assert ended.code == 0, ended.err
    assert [event["price"] for event in ended.events] == ["50000.10"] * 3
    assert "sixtex" in program("watch", "--help").out
    assert "--mood" in program("watch", "sixtex", "--help").out


def test_its_account_can_be_configured_and_misconfigured(program: Program, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[accounts.sixtex]\nmood = "angry"\napi_key = { env = "A" }\n')
    environ = {"PRIVSTREAM_CONFIG": str(config)}
    assert program("watch", "sixtex", environ=environ).code == 3
    keys = {"SIXTEX_API_KEY": "k", "SIXTEX_API_SECRET": "s"}
    ended = program("watch", "sixtex", "--mood", "loud", environ=keys)
    assert ended.code == 2
    assert "calm or wild" in ended.err


def test_it_is_recorded_and_replayed(program: Program, tmp_path: Path) -> None:
    file = str(tmp_path / "frames")
    assert program("record", file, "sixtex", "--simulate", "--count", "2").code == 0
    assert "sixtex-key" not in Path(file).read_text()
    assert len(program("replay", file).events) >= 2


# --- what it takes from the kit ------------------------------------------------------------

FILL = {"fill": "7", "order": "3", "pair": "BTC/EUR", "side": "buy", "price": "5", "size": "1"}


def sixtex() -> Sixtex:
    secrets = {"api_key": Secret("sixtex-key"), "api_secret": Secret("none")}
    endpoints = Endpoints("https://sixtex.example", "wss://sixtex.example")
    return Sixtex(Account("sixtex", "sixtex", secrets, endpoints))


def test_its_pulse_proves_what_was_delivered_and_notices_silence() -> None:
    book = Playbook(sixtex().session(None, ("trades",))).opened().receives({"hello": True})
    sent = book.forget().after(5).now
    book.ponged(b"1").after(1).nothing()
    assert book.delivered == [sent]
    book.after(25).does(like(object, cause="silence", detail="no pong for 20 s"))


def test_its_history_is_read_in_parts_each_of_which_says_what_it_lacks() -> None:
    known = Known(since_ns=0, until_ns=1, channels=("trades",))
    found = play(sixtex().backfill(known), lambda *_: answer([FILL, "junk"]))
    assert found.reports[0] == like(Fill, trade_id="7", source="rest")
    assert found.detail == "fills: one row could not be read"
    busy = play(sixtex().backfill(known), lambda *_: answer("", 503))
    assert (busy.complete, busy.retryable) == (False, True)
    assert (busy.detail or "").startswith("fills: Sixtex answered HTTP 503")

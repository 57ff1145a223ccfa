"""`order`, as a person and a script call it: what is shown, asked, printed, and the exit codes."""

import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from privstream.app import amounts
from privstream.app.asking import Person
from privstream.app.order_text import shown
from privstream.cli import entry
from privstream.connection.orders import broker as ordering
from privstream.connection.orders.placing import Placement
from privstream.model.errors import Exit, OutputFailed, UsageError
from privstream.model.events import TYPES
from privstream.model.order_entry import Ticket
from privstream.outputs.jsonl import JsonLines
from privstream.simulator.server import Simulation
from tests.cli.conftest import QUIET, Ended
from tests.valid import assert_valid_line

Run = Callable[..., Ended]
BUY = ("--symbol", "BTC/EUR", "--side", "buy", "--type", "limit", "--quantity", "0.010")
KRAKEN = ("place", "kraken", *BUY, "--price", "1000.0")
ZEROCAP = ("place", "zerocap", *BUY[2:], "--symbol", "BTC/AUD", "--price", "400000")
UNKNOWN = "OAAAAA-ZZZZZ-ZZZZZZ"


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    """Both exchanges that take orders, and hardly a life on them."""
    with Simulation(["kraken", "zerocap"], rate=QUIET, limits=False) as running:
        yield running


def config(simulation: Simulation, folder: Path, more: str) -> Path:
    lines = []
    for name in ("kraken", "zerocap"):
        account = simulation.account(name, {})
        lines += [
            f"[accounts.{name}]",
            f'api_key = "{account.api_key.reveal()}"',
            f'api_secret = "{account.api_secret.reveal()}"',
            more,
            f"[exchanges.{name}]",
            f'rest_url = "{account.endpoints.rest_url}"',
            f'ws_url = "{account.endpoints.ws_url}"',
        ]
    path = folder / "config.toml"
    path.touch(0o600)
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def run(
    simulation: Simulation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Run:
    """The command line in this process; what a person `types` makes it a terminal."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(ordering, "LULL", 0.01)
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*words: str, types: str | None = None, settings: str = "") -> Ended:
        path = config(simulation, tmp_path, settings)
        monkeypatch.setenv("PRIVSTREAM_CONFIG", str(path))
        monkeypatch.setattr(Person, "is_there", lambda _self: types is not None)
        monkeypatch.setattr(sys, "stdin", io.StringIO(types))
        code = entry.run(["order", *words])
        return Ended(code, *capfd.readouterr())

    return run


def orders_of(simulation: Simulation, name: str = "kraken") -> int:
    """How many orders the user has ever placed there; the life's have lower numbers."""
    exchange: Any = simulation.exchanges[name]
    return sum(order.serial > 10**15 for order in list(exchange.market.own.orders.values()))


# --- placing -------------------------------------------------------------------------------


def test_a_placed_order_is_one_whole_event_on_stdout(run: Run) -> None:
    ended = run(*KRAKEN, "--yes")
    assert ended.code == Exit.DONE
    assert_valid_line(ended.out.strip().encode(), TYPES["order"])
    [event] = ended.events
    assert (event["status"], event["price"], event["account"]) == ("open", "1000.0", "kraken")
    assert len(event["client_order_id"]) == 36
    assert event["client_order_id"] in ended.err  # what was shown before it was sent
    [same] = run("get", "kraken", event["order_id"]).events
    assert (same["id"], same["source"]) == (event["id"], "rest")
    assert event["id"] in {listed["id"] for listed in run("list", "kraken").events}


def test_raw_brings_the_exchanges_own_element(run: Run) -> None:
    [event] = run(*ZEROCAP, "--yes", "--raw").events
    assert event["raw"]["id"] == event["order_id"]


def test_without_a_terminal_and_without_yes_nothing_is_sent(
    run: Run, simulation: Simulation
) -> None:
    before = orders_of(simulation)
    ended = run(*KRAKEN)
    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert "--yes" in ended.err
    assert run("cancel", "kraken", "--all").code == Exit.USAGE
    assert orders_of(simulation) == before


@pytest.mark.parametrize("typed", ["n\n", "\n"])
def test_who_does_not_say_yes_has_placed_nothing(
    run: Run, simulation: Simulation, typed: str
) -> None:
    before = orders_of(simulation)
    ended = run(*KRAKEN, "-q", types=typed)
    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert "buy 0.010 BTC/EUR, limit at 1000.0 (together 10 EUR)" in ended.err
    assert "rest_url from" in ended.err  # it is not the exchange itself that is asked about
    assert "nothing was sent" in ended.err
    assert orders_of(simulation) == before


def test_who_says_yes_has_placed_it(run: Run, simulation: Simulation) -> None:
    before = orders_of(simulation)
    ended = run(*KRAKEN, types="y\n")
    assert (ended.code, len(ended.events)) == (Exit.DONE, 1)
    assert orders_of(simulation) == before + 1


def test_quiet_and_yes_say_nothing(run: Run) -> None:
    assert run(*KRAKEN, "--yes", "-q").err == ""


def test_a_read_only_account_neither_places_nor_cancels_and_says_which_line_forbids_it(
    run: Run, simulation: Simulation
) -> None:
    before = orders_of(simulation)
    for words in (
        (*KRAKEN, "--yes"),
        (*KRAKEN, "--validate"),
        ("cancel", "kraken", UNKNOWN),
        ("cancel", "kraken", "--all", "--yes"),
    ):
        ended = run(*words, settings="read_only = true")
        assert ended.code == Exit.CONFIG
        assert "[accounts.kraken] has read_only = true in" in ended.err
    assert orders_of(simulation) == before
    assert run("list", "kraken", settings="read_only = true").code == Exit.DONE


def test_a_validated_order_is_not_placed_and_not_asked_about(
    run: Run, simulation: Simulation
) -> None:
    before = orders_of(simulation)
    ended = run(*KRAKEN, "--validate")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert "Kraken finds no fault in the order's terms" in ended.err
    assert orders_of(simulation) == before
    ended = run(*ZEROCAP, "--validate")
    assert (ended.code, ended.out) == (Exit.USAGE, "")


def test_an_order_for_more_than_there_is_is_exit_4_in_the_exchanges_words(run: Run) -> None:
    ended = run(*KRAKEN[:-1], "90000000", "--yes", "--json")
    assert (ended.code, ended.out) == (Exit.REFUSED, "")
    said = json.loads(ended.err.splitlines()[-1])
    assert (said["error"], said["account"], said["retryable"]) == ("refused", "kraken", False)
    assert "EOrder:Insufficient funds" in said["message"]
    assert said["hint"]


def test_a_pair_that_nobody_knows_is_exit_4(run: Run) -> None:
    assert run(*KRAKEN, "--symbol", "ABC/EUR", "--yes").code == Exit.REFUSED
    assert run(*ZEROCAP, "--symbol", "ABC/AUD", "--yes").code == Exit.REFUSED


def test_an_order_that_ends_without_a_fill_is_printed_and_is_exit_4(run: Run) -> None:
    ended = run(*ZEROCAP[:-1], "1000", "--yes")
    assert ended.code == Exit.REFUSED
    [event] = ended.events
    assert (event["status"], event["filled"]) == ("canceled", "0")
    assert "without a fill" in ended.err


@pytest.mark.parametrize("fault", ["swallow", "swallow=cut"])
def test_an_order_whose_answer_was_lost_is_found_and_printed(
    run: Run, simulation: Simulation, fault: str
) -> None:
    before = orders_of(simulation, "zerocap")
    simulation.faults["zerocap"].strike(fault)
    ended = run(*ZEROCAP, "--yes")
    assert ended.code == Exit.DONE
    assert [event["status"] for event in ended.events] == ["filled"]
    assert "the answer was lost, but the order was found" in ended.err
    assert orders_of(simulation, "zerocap") == before + 1


@pytest.mark.parametrize(
    "words",
    [("place", "kraken", *BUY[:4], "--type", "market", *BUY[6:]), ZEROCAP],
    ids=["kraken", "zerocap"],
)
def test_wait_goes_on_until_it_is_filled_and_tells_no_state_twice(
    run: Run, words: tuple[str, ...]
) -> None:
    ended = run(*words, "--wait", "filled", "--timeout", "10s", "--yes")
    assert ended.code == Exit.DONE
    ids = [event["id"] for event in ended.events]
    assert len(set(ids)) == len(ids)
    # Zerocap's times are whole seconds: its fill seems older than its order.
    assert {event["type"] for event in ended.events} == {"order", "trade"}


def test_wait_is_exit_124_where_it_takes_too_long_and_the_order_stands(run: Run) -> None:
    ended = run(*KRAKEN, "--wait", "filled", "--timeout", "300ms", "--yes")
    assert ended.code == Exit.TIMED_OUT
    assert [event["status"] for event in ended.events] == ["open"]


# --- broken off ----------------------------------------------------------------------------


def broken_off(monkeypatch: pytest.MonkeyPatch, state: str, number: signal.Signals) -> None:
    """A signal comes when placing has come so far."""

    def run_so_far(self: Any) -> None:
        self.state = state
        self.order_id = "OAAAAA-BBBBB-CCCCCC" if state == "placed" else None
        signal.raise_signal(number)
        self._broker.client.stop.wait()
        self._broker.client.check()

    monkeypatch.setattr(Placement, "run", run_so_far)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("unsent", "broken off, and nothing was done"),
        ("sent", "its fate is unknown"),
        ("placed", "the order was placed (OAAAAA-BBBBB-CCCCCC)"),
    ],
)
def test_ctrl_c_says_what_became_of_the_order(
    run: Run, monkeypatch: pytest.MonkeyPatch, state: str, said: str
) -> None:
    broken_off(monkeypatch, state, signal.SIGINT)
    ended = run(*KRAKEN, "--client-id", "mine-1", "--yes")
    assert (ended.code, ended.out) == (Exit.INTERRUPTED, "")
    assert said in ended.err
    assert ("client id mine-1: " in ended.err or "client id mine-1 (" in ended.err) == (
        state == "sent"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("state", ["unsent", "sent", "placed"])
def test_a_stop_before_it_was_done_is_no_success(
    run: Run, monkeypatch: pytest.MonkeyPatch, state: str, number: signal.Signals
) -> None:
    broken_off(monkeypatch, state, number)
    ended = run(*KRAKEN, "--yes", "--json")
    assert (ended.code, ended.out) == (Exit.UNREACHABLE, "")
    assert json.loads(ended.err.splitlines()[-1])["retryable"] == (state == "unsent")


def test_an_order_that_cannot_be_printed_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, simulation: Simulation
) -> None:
    def full(_self: object, _events: object) -> None:
        raise OutputFailed("cannot write the output: No space left on device")

    monkeypatch.setattr(JsonLines, "write", full)
    before = orders_of(simulation)
    ended = run(*KRAKEN, "--yes")
    assert ended.code == Exit.OURS
    assert "the order was placed (O" in ended.err
    assert orders_of(simulation) == before + 1


# --- canceling and looking -----------------------------------------------------------------


def test_orders_are_canceled_by_id_without_being_asked_about(run: Run) -> None:
    [order] = run(*KRAKEN, "--yes").events
    ended = run("cancel", "kraken", order["order_id"], UNKNOWN)
    assert ended.code == Exit.REFUSED
    [canceled] = ended.events
    assert (canceled["order_id"], canceled["status"]) == (order["order_id"], "canceled")
    assert f"{UNKNOWN}: " in ended.err
    assert run("cancel", "kraken", order["order_id"]).code == Exit.REFUSED


def test_an_order_that_is_named_twice_is_told_once(run: Run) -> None:
    [order] = run(*KRAKEN, "--yes").events
    ended = run("cancel", "kraken", order["order_id"], order["client_order_id"], order["order_id"])
    assert [event["order_id"] for event in ended.events] == [order["order_id"]]


def test_get_wants_an_id(run: Run) -> None:
    assert run("get", "kraken", "").code == Exit.USAGE
    assert run("list", "kraken", "--client-id", "").code == Exit.USAGE


def test_cancel_wants_ids_or_all(run: Run) -> None:
    for words in ((), (UNKNOWN, "--all", "--yes"), ("",)):
        assert run("cancel", "kraken", *words).code == Exit.USAGE


def test_all_are_canceled_after_a_question(run: Run, simulation: Simulation) -> None:
    exchange: Any = simulation.exchanges["kraken"]
    exchange.market.books.open.clear()  # the life's own ones cannot be canceled
    [order] = run(*KRAKEN, "--yes").events
    assert run("cancel", "kraken", "--all", types="n\n").out == ""
    ended = run("cancel", "kraken", "--all", types="y\n")
    assert ended.code == Exit.DONE
    assert order["order_id"] in {event["order_id"] for event in ended.events}
    assert {event["status"] for event in ended.events} == {"canceled"}
    ended = run("cancel", "kraken", "--all", "--yes")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert "there was no open order" in ended.err


def test_an_unknown_order_is_exit_4(run: Run) -> None:
    for words in (
        ("get", "kraken", UNKNOWN),
        ("get", "zerocap", "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a01"),
    ):
        ended = run(*words)
        assert (ended.code, ended.out) == (Exit.REFUSED, "")
        assert "knows no order" in ended.err


def test_zerocaps_orders_are_listed_by_its_filters(run: Run) -> None:
    [order] = run(*ZEROCAP, "--yes").events
    closed = run("list", "zerocap", "--status", "closed", "--from", "1m", "--limit", "1")
    assert [event["order_id"] for event in closed.events] == [order["order_id"]]
    nothing = run("list", "zerocap", "--status", "open", "--from", "1s", "--symbol", "XRP/AUD")
    assert (nothing.code, nothing.out) == (Exit.DONE, "")
    assert "no such order" in nothing.err
    for wrong in (("--limit", "0"), ("--limit", "x"), ("--from", "lately"), ("--side", "up")):
        assert run("list", "zerocap", *wrong).code == Exit.USAGE


# --- what cannot be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("place", "bitfinex", *BUY),
        ("get", "poloniex", "1"),
        ("list", "indodax"),
        ("cancel", "zerocap", "--all"),
    ],
)
def test_what_an_exchange_does_not_have_is_exit_2_and_a_sentence(
    run: Run, words: tuple[str, ...]
) -> None:
    ended = run(*words)
    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert words[1].capitalize() in ended.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--quantity", "0"),
        ("--quantity", "0.00"),
        ("--quantity", "-1"),
        ("--quantity", "nan"),
        ("--quantity", "inf"),
        ("--quantity", "1,5"),
        ("--quantity", "1_000"),
        ("--quantity", "1e-400"),
        ("--quantity", "0x10"),
        ("--quantity", ""),
        ("--quantity", "\u0661"),
        ("--price", "0"),
        ("--price", "1,5"),
        ("--price", "+"),
        ("--stop-price", "nan"),
        ("--side", "up"),
        ("--tif", "forever"),
        ("--type", "market"),
        ("--symbol", " "),
        ("--format", "raw"),
        ("--wait", "gone"),
        ("--wait", "filled", "--validate"),
        ("--timeout", "soon"),
    ],
)
def test_what_cannot_be_is_a_usage_error_and_nothing_is_asked_or_sent(
    run: Run, simulation: Simulation, wrong: tuple[str, ...]
) -> None:
    before = orders_of(simulation)
    ended = run(*KRAKEN, *wrong, types="y\n")
    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert "[y/N]" not in ended.err
    assert orders_of(simulation) == before


def test_a_limit_order_without_a_price_is_a_usage_error(run: Run) -> None:
    for kind in ("limit", "stop-loss-limit"):
        ended = run("place", "kraken", *BUY, "--type", kind, "--stop-price", "1", "--yes")
        assert ended.code == Exit.USAGE
        assert "needs --price" in ended.err


@pytest.mark.parametrize("action", ["place", "list"])
def test_the_help_lists_the_exchanges_own_options_and_no_exchange_without_orders(
    run: Run, action: str
) -> None:
    assert "bitfinex" not in run(action, "--help").out
    assert ("--leverage" in run(action, "kraken", "--help").out) == (action == "place")
    assert ("--from" in run(action, "zerocap", "--help").out) == (action == "list")


# --- amounts and words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "exact"),
    [
        ("0.250", "0.250"),
        ("1e-3", "0.001"),
        ("1.50E2", "150"),
        ("2E+3", "2000"),
        ("123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
    ],
)
def test_an_amount_keeps_its_digits_and_an_exponent_is_written_out(typed: str, exact: str) -> None:
    assert amounts.quantity(typed, "--quantity") == exact


@pytest.mark.parametrize(
    ("typed", "exact"), [("+5", "+5"), ("-1e1%", "-10%"), ("#0.50", "#0.50"), ("2.5%", "2.5%")]
)
def test_a_price_may_be_an_offset(typed: str, exact: str) -> None:
    assert amounts.price(typed, "--price") == exact
    with pytest.raises(UsageError):
        amounts.quantity(typed, "--quantity")


def test_what_is_shown_says_everything_that_is_sent() -> None:
    ticket = Ticket(
        symbol="BTC/EUR",
        side="sell",
        order_type="stop_loss_limit",
        quantity="0.1",
        price="+5",
        stop_price="24000",
        time_in_force="gtc",
        client_order_id="mine",
        options={"leverage": "3", "close_type": "limit"},
    )
    assert shown(ticket, "Kraken", "desk") == (
        "Kraken, account desk: sell 0.1 BTC/EUR, stop loss limit, stop at 24000, limit 5 above the last price, "
        "gtc, leverage 3, close type limit, client id mine"
    )
    exact = Ticket(
        symbol="BTC/EUR", side="buy", order_type="limit", quantity="0.30", price="0.10000000000001"
    )
    assert "(together 0.030000000000003 EUR)" in shown(exact, "Kraken", "desk")
    spent = Ticket(
        symbol="BTC/EUR",
        side="buy",
        order_type="market",
        quantity="100",
        options={"flags": "viqc"},
    )
    assert shown(spent, "Kraken", "desk").endswith(": buy BTC/EUR for 100 EUR, market, flags viqc")

"""What an order comes to is said before it is asked about, and limited where the user says so."""

import pytest

from privstream.app.order_text import listed, moments, money
from privstream.app.order_worth import check_limit, worth
from privstream.model.errors import ConfigError, Exit
from privstream.model.order_entry import MarketView, Ticket
from privstream.simulator.server import Simulation
from tests.cli.test_order import BUY, KRAKEN, ZEROCAP, Run, orders_of, run, simulation

__all__ = ["run", "simulation"]  # fixtures

MARKET = ("place", "kraken", *BUY[:4], "--type", "market", "--quantity", "0.010")
LIMIT = 'max_order = { EUR = "100", AUD = "100" }'
SEEN = MarketView(last_price="60000.0", free={"EUR": "1200.50"})


def ticket(**changes: object) -> Ticket:
    terms = {"symbol": "BTC/EUR", "side": "buy", "order_type": "limit", "quantity": "0.01"}
    return Ticket(**{**terms, **changes})  # type: ignore[arg-type] # as named


# --- what it comes to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "comes_to"),
    [
        ({"price": "50000"}, "500"),
        ({"price": "70000"}, "700"),
        ({"side": "sell", "price": "50000"}, "600"),  # it is sold for what the market pays
        ({"side": "sell", "price": "70000"}, "700"),
        ({"order_type": "market"}, "600"),
        ({"order_type": "stop_loss", "stop_price": "65000"}, "650"),
        ({"order_type": "stop_loss_limit", "stop_price": "65000", "price": "66000"}, "660"),
        ({"order_type": "limit", "price": "+5"}, "600"),
        ({"order_type": "trailing_stop", "options": {"trailing_offset": "5%"}}, "600"),
        ({"order_type": "market", "quantity": "50", "options": {"flags": "viqc"}}, "50"),
    ],
)
def test_the_value_of_an_order_is_the_most_that_it_can_be(
    changes: dict[str, object], comes_to: str
) -> None:
    assert worth(ticket(**changes), SEEN) == comes_to


def test_what_a_market_order_comes_to_without_a_last_price_is_not_told() -> None:
    assert worth(ticket(order_type="market"), MarketView()) is None
    assert money(ticket(order_type="market"), MarketView()) == (
        "the last price is not known, what this comes to is not known; free: not known"
    )


def test_a_limit_compares_exactly_and_names_what_it_does_not_cover() -> None:
    assert check_limit("100.00", "BTC/EUR", {"EUR": "100"}, "desk") is None
    assert "no USD" in str(check_limit("1e9", "BTC/USD", {"EUR": "100"}, "desk"))
    for comes_to in ("100.01", None):
        with pytest.raises(ConfigError):
            check_limit(comes_to, "BTC/EUR", {"EUR": "100"}, "desk")


def test_relative_times_are_told_as_moments_by_the_exchanges_clock() -> None:
    (said,) = moments(ticket(options={"expire": "+86400"}), 1_800_000_000 * 10**9)
    assert said.startswith("expire +86400 is 2027-01-16 08:00:00 UTC (2027-01-16 ")


def test_no_open_order_is_said_too() -> None:
    assert list(listed([])) == ["0 open orders"]


# --- at the terminal -----------------------------------------------------------------------


def test_the_question_shows_last_price_value_and_free_funds(run: Run) -> None:
    ended = run(*KRAKEN, "--expire", "+86400", types="n\n")
    assert ended.code == Exit.USAGE
    assert "last price " in ended.err
    assert "this comes to 10 EUR; free: " in ended.err
    assert " EUR" in ended.err.partition("free: ")[2].splitlines()[0]
    assert "expire +86400 is " in ended.err


def test_zerocap_shows_what_can_be_read_there(run: Run) -> None:
    ended = run(*ZEROCAP, types="n\n")
    assert "the last price is not known, this comes to 4000 AUD; free: " in ended.err


@pytest.mark.parametrize("words", [(*KRAKEN[:-1], "20000"), MARKET, ZEROCAP])
@pytest.mark.parametrize("way", [("--yes",), ()])
def test_an_order_above_max_order_is_refused_and_not_sent(
    words: tuple[str, ...], way: tuple[str, ...], run: Run, simulation: Simulation
) -> None:
    before = orders_of(simulation, words[1])
    ended = run(*words, *way, types=None if way else "y\n", settings=LIMIT)
    assert ended.code == Exit.CONFIG
    assert "max_order of account" in ended.err
    assert ended.out == ""
    assert orders_of(simulation, words[1]) == before


def test_an_order_within_max_order_is_placed(run: Run) -> None:
    assert run(*KRAKEN, "--yes", settings=LIMIT).code == Exit.DONE


@pytest.mark.parametrize(
    "value", ['{ EUR = "-1" }', '{ EUR = "x" }', "{ EUR = 5 }", '"5"', '{ EUR = "0" }']
)
def test_a_max_order_that_is_none_is_a_configuration_error(value: str, run: Run) -> None:
    ended = run(*KRAKEN, "--yes", settings=f"max_order = {value}")
    assert ended.code == Exit.CONFIG
    assert len(ended.err.splitlines()) == 1


def test_before_all_are_canceled_it_is_said_how_many_and_which(run: Run) -> None:
    placed = run(*KRAKEN, "--yes", "--json").events[0]["order_id"]
    ended = run("cancel", "kraken", "--all", types="n\n")
    assert " open order" in ended.err
    assert f"  {placed}  buy 0.01000000 BTC/EUR  limit at 1000.0" in ended.err


def test_help_offers_only_what_the_exchange_takes(run: Run) -> None:
    zerocap, kraken = (run("place", name, "--help").out for name in ("zerocap", "kraken"))
    assert "--validate" not in zerocap
    assert "--stop-price" not in zerocap
    assert "gtc" not in zerocap
    assert all(word in kraken for word in ("--validate", "--stop-price", "gtc"))
    # What is typed all the same is told why, as before.
    assert "only validates" in run(*ZEROCAP, "--validate").err

"""Names that an exchange is asked for: what cannot be had costs nothing else."""

from collections.abc import Mapping

import pytest

from privstream.exchanges.kit.names import Names, word
from privstream.model.errors import Interrupted, PrivstreamError, Refused, Unavailable
from privstream.model.rest import Call, HttpRequest, RestFlow
from tests.rest_play import answer, play

CALL = Call(build=lambda _: HttpRequest("GET", "/x"), name="x")
COMMON = {"XXBT": "BTC", "XETH": "ETH"}


class Exchange:
    """Tells names, but refuses a question that holds one it does not know."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.problem: Exception | None = None

    def ask(self, names: tuple[str, ...]) -> RestFlow[Mapping[str, str]]:
        self.asked.append(names)
        yield CALL
        if self.problem is not None:
            raise self.problem
        if not set(names) <= COMMON.keys():
            raise Refused("unknown name")
        return {name: COMMON[name] for name in names}

    def tell(self, names: Names, *wanted: str) -> None:
        play(names.ask(wanted, self.ask), lambda *_: answer("1"))


def test_words_are_lower_case_and_joined() -> None:
    assert word("User requested") == "user_requested"
    assert word("stop-loss-limit") == "stop_loss_limit"


def test_each_name_is_asked_for_once() -> None:
    names, exchange = Names(), Exchange()
    exchange.tell(names, "XXBT", "XETH", "XXBT")
    exchange.tell(names, "XXBT")
    assert exchange.asked == [("XETH", "XXBT")]
    assert names.get("XXBT") == "BTC"


def test_one_name_that_is_refused_costs_only_itself_and_is_not_asked_again() -> None:
    names, exchange = Names(), Exchange()
    exchange.tell(names, "XXBT", "GONE")
    assert (names.get("XXBT"), names.get("GONE")) == ("BTC", None)
    exchange.asked.clear()
    exchange.tell(names, "GONE")
    assert exchange.asked == []


@pytest.mark.parametrize("problem", [Unavailable("busy"), KeyError("wsname"), TypeError()])
def test_names_that_cannot_be_had_just_now_are_asked_for_again(problem: Exception) -> None:
    names, exchange = Names(), Exchange()
    exchange.problem = problem
    exchange.tell(names, "XXBT")
    assert names.get("XXBT") is None
    exchange.problem = None
    exchange.tell(names, "XXBT")
    assert names.get("XXBT") == "BTC"


def test_an_interruption_is_no_lack_of_names() -> None:
    exchange = Exchange()
    exchange.problem = Interrupted("the connection broke")
    with pytest.raises(PrivstreamError):
        exchange.tell(Names(), "XXBT")


def test_what_is_known_from_elsewhere_is_not_asked_for() -> None:
    names, exchange = Names(), Exchange()
    names.learn({"NEW": "NEW/EUR"})
    exchange.tell(names, "NEW")
    assert exchange.asked == []
    assert names.get("NEW") == "NEW/EUR"

"""What an error body says is told, in whatever shape and under whichever key it says it."""

from collections.abc import Callable
from typing import Any

import pytest

from privstream.exchanges.bitfinex.rest import read_rows as bitfinex
from privstream.exchanges.indodax.rest import read_v1, read_v2
from privstream.exchanges.kit.complaints import words_in
from privstream.exchanges.kraken.rest import read_result as kraken
from privstream.exchanges.poloniex.rest import read_answer as poloniex
from privstream.exchanges.zerocap.rest import read_answer as zerocap
from privstream.model.errors import PrivstreamError, Refused, Unavailable
from privstream.model.exact import encode
from privstream.model.rest import HttpResponse

READERS: dict[str, Callable[[HttpResponse, str], Any]] = {
    "kraken": kraken,
    "bitfinex": bitfinex,
    "poloniex": poloniex,
    "indodax-v1": read_v1,
    "indodax-v2": read_v2,
    "zerocap": zerocap,
}
BODIES: tuple[dict[str, Any], ...] = (
    {"error": "the words"},
    {"error": ["the words"]},
    {"error": {"code": 7, "message": "the words"}},
    {"message": "the words"},
    {"msg": "the words"},
    {"detail": "the words"},
    {"errors": [{"message": "the words"}]},
)


def refusal(name: str, status: int, body: Any) -> PrivstreamError:
    with pytest.raises(PrivstreamError) as caught:
        READERS[name](HttpResponse(status, {}, encode(body)), "the call")
    return caught.value


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", READERS)
def test_the_words_of_an_error_are_told(name: str, body: dict[str, Any]) -> None:
    assert "the words" in refusal(name, 400, body).message


@pytest.mark.parametrize("name", READERS)
def test_an_error_is_no_result_whatever_its_status(name: str) -> None:
    assert "the words" in refusal(name, 200, {"error": "the words"}).message


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("body", [[], None, {}, "x"])
def test_nothing_is_listed_by_a_refusal_without_words(name: str, body: Any) -> None:
    assert isinstance(refusal(name, 400, body), Refused | Unavailable)


def test_krakens_errors_need_not_be_a_list() -> None:
    error = refusal("kraken", 200, {"error": "EGeneral:Permission denied"})
    assert error.category == "permission"


@pytest.mark.parametrize("value", [None, "", [], {}, True, [None, ""]])
def test_no_words_are_none(value: Any) -> None:
    assert words_in(value) == ""

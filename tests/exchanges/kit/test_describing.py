"""Why an element could not be read: told by the element, never by Python."""

from collections.abc import Callable
from typing import Any

import pytest

from privstream.exchanges import find
from privstream.exchanges.base import MALFORMED, each
from privstream.exchanges.kit.describing import described
from privstream.model.account import Account, Secret, Token
from privstream.model.exact import Unreadable, amount
from privstream.model.reports import NoticeReport
from tests.playbook import START


def why(read: Callable[[Any], object], element: Any) -> str:
    """What a notice says where this reader fails."""
    with pytest.raises(MALFORMED) as caught:
        read(element)
    return described(caught.value, element)


@pytest.mark.parametrize(
    ("element", "told"),
    [
        ("TRADE", "it is text, not an object"),
        ("", "it is an empty text, not an object"),
        (7, "it is a number, not an object"),
        (None, "it is null, not an object"),
        (True, "it is true, not an object"),
    ],
)
def test_what_is_no_object_at_all_is_called_by_its_kind(element: Any, told: str) -> None:
    assert why(lambda e: e["price"], element) == told
    assert why(lambda e: e.get("price"), element) == told


def test_a_list_that_is_read_like_an_object_is_called_so() -> None:
    assert why(lambda e: e.get("price"), [1, 2]) == "it is a list, not an object"


def test_a_value_that_is_read_like_an_object_is_named() -> None:
    element = {"id": "O1", "descr": "buy 1"}
    assert why(lambda e: e["descr"].get("pair"), element) == "`descr` is text, not an object"


@pytest.mark.parametrize("element", [["", {"misc": "", "vol": "1"}], {"order": "", "misc": ""}])
def test_a_value_that_stands_in_two_places_is_not_named_by_one(element: Any) -> None:
    assert described(Unreadable("it is an empty text, not an id", ""), element) == (
        "it is an empty text, not an id"
    )


def test_what_is_missing_is_named() -> None:
    assert why(lambda e: e["price"], {"size": 1}) == "`price` is missing"
    assert why(lambda e: e["in"]["price"], {"in": {"size": 1}}) == "`price` is missing"


def test_a_word_that_a_table_of_ours_lacks_is_not_called_missing() -> None:
    told = why(lambda e: {"buy": 1}[e["side"]], {"side": "sideways", "sideways": 0})
    assert told == "something in it is not as documented"


def test_an_amount_that_is_none_is_named_by_its_key() -> None:
    odd: list[tuple[Any, str]] = [([], "a list"), ({}, "an object"), (False, "false")]
    for value, told in [*odd, ("much", "text")]:
        element: Any = {"id": "7", "fees": [{"qty": value}]}
        assert why(lambda e: amount(e["fees"][0]["qty"]), element) == (
            f"`qty` is {told}, not an amount"
        )
    row: Any = ["7", "much"]
    assert why(lambda e: amount(e[1]), row) == "it is text, not an amount"


@pytest.mark.parametrize(
    ("read", "element"),
    [
        (lambda e: int(e["time"]), {"time": "soon"}),
        (lambda e: e["a"] + e["b"], {"a": 1, "b": "x"}),
        (lambda e: dict(e["rows"]), {"rows": [1, 2]}),
        (lambda e: {e["id"]: 1}, {"id": []}),
        (lambda e: 1 // e["n"], {"n": 0}),
        (lambda e: e["id"].strip(), {"id": 4}),
    ],
)
def test_nothing_of_pythons_words_is_shown(read: Callable[[Any], object], element: Any) -> None:
    assert why(read, element) == "something in it is not as documented"


def test_a_row_may_be_too_short() -> None:
    assert why(lambda e: e[3], [1, 2]) == "it is too short"


def test_our_own_words_are_kept() -> None:
    assert described(Unreadable("more is left than was ordered"), {}) == (
        "more is left than was ordered"
    )


def test_a_notice_says_it_beside_the_neighbours() -> None:
    elements: list[Any] = ["TRADE", {"id": "7"}]
    read: list[object] = list(each(elements, lambda e: iter([e["id"]])))
    assert read[1] == "7"
    assert isinstance(read[0], NoticeReport)
    assert read[0].text == "cannot read this element: it is text, not an object"


@pytest.mark.parametrize("name", ["kraken", "poloniex", "zerocap", "indodax"])
def test_a_list_where_frames_are_objects_is_said_to_be_one(name: str) -> None:
    kind = find(name)
    secrets = {key: Secret("c2VjcmV0") for key in kind.credentials}
    exchange = kind(Account(name, name, secrets, kind.endpoints({})))
    session = exchange.session(Token(Secret("t"), expires=900.0, channel="c"), exchange.select(()))
    (notice,) = session.receive(b"[1,2]", START)
    assert isinstance(notice, NoticeReport)
    assert notice.text == "cannot read this frame: it is a list, not an object"

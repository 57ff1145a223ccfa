"""Asking over REST, and answers that are none of the exchange's own."""

import pytest

from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.kit.refusals import NonceRefused
from privstream.model.errors import LoginRefused, RateLimited, Refused, Unavailable
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow
from tests.rest_play import answer, play

CALL = Call(build=lambda _: HttpRequest("GET", "/x"), name="x")
ANSWERS = Answers("Sixtex")


def read(response: HttpResponse) -> object:
    """A text means an error."""
    found = ANSWERS.decoded(response, "x")
    errors = {"busy": Unavailable("busy"), "nonce": NonceRefused("nonce"), "no": Refused("no")}
    if found in errors:
        raise errors[found]
    return found


def pages() -> RestFlow[list[object]]:
    return [(yield from asked(CALL, read)), (yield from asked(CALL, read))]


def test_a_passing_error_is_told_in_the_call_that_is_yielded_again() -> None:
    flow = pages()
    assert next(flow).after is None
    assert flow.send(answer("1")).after is None
    again = flow.send(answer('"busy"'))
    assert (again.name, str(again.after)) == ("x", "busy")
    with pytest.raises(StopIteration) as end:
        flow.send(answer("2"))
    assert end.value.value == [1, 2], "the first page was not asked for again"


def test_who_is_not_patient_throws_the_passing_error_in() -> None:
    with pytest.raises(Unavailable, match="busy"):
        play(pages(), lambda *_: answer('"busy"'))


def test_a_refusal_is_not_asked_again() -> None:
    with pytest.raises(Refused, match="no"):
        play(pages(), lambda *_: answer('"no"'))


def test_a_refused_nonce_is_tried_once_more_at_once() -> None:
    bodies = ['"nonce"', "1", "2"]
    assert play(pages(), lambda *_: answer(bodies.pop(0))) == [1, 2]
    with pytest.raises(LoginRefused):
        play(pages(), lambda *_: answer('"nonce"'))


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer("1", 429, **{"retry-after": "7"}), RateLimited),
        (answer("1", 502), Unavailable),
        (answer("<html>hello</html>"), Unavailable),
        (answer("{"), Unavailable),
        (HttpResponse(200, {}, b""), Unavailable),
    ],
)
def test_what_is_no_answer_of_the_exchange_is_an_outage(
    response: HttpResponse, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="Sixtex"):
        ANSWERS.decoded(response, "x")


def test_a_status_may_say_nothing() -> None:
    assert ANSWERS.parsed(answer("[1]", 500), "x") == [1]


def test_an_answer_without_what_is_always_in_it_is_an_outage_that_says_so() -> None:
    assert ANSWERS.read_object({}, "x") == {}
    assert ANSWERS.read_list([1], "x") == [1]
    with pytest.raises(Unavailable, match="Sixtex answered x with no answer of its own"):
        ANSWERS.read_object([], "x")
    with pytest.raises(Unavailable, match="Sixtex answered x without rows"):
        ANSWERS.read_list(None, "x", "rows")

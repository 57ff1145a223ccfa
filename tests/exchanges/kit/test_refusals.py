"""A table of refusals: what a code or a text means."""

from privstream.exchanges.kit.refusals import Meaning, Refusals, begins, code, holds
from privstream.model.errors import LoginRefused, RateLimited, Refused

TABLE = Refusals(
    "Sixtex",
    (
        (code(10100, "bad_key"), Meaning(LoginRefused, "does not know the key ({said})", "mend")),
        (begins("ERate"), Meaning(RateLimited, "wants less than {doing}", None, 15.0, "rate")),
        (holds("ratelimit"), Meaning(RateLimited, "wants less", floor=30.0)),
    ),
    Meaning(Refused, "refused {doing}: {said}"),
)


def test_a_code_is_found_whether_it_is_a_number_or_a_text() -> None:
    for spelled in (10100, "10100", "bad_key"):
        problem = TABLE.error("no such key", "Balance", code=spelled)
        assert type(problem) is LoginRefused
        assert (problem.message, problem.hint) == (
            "Sixtex does not know the key (no such key)",
            "mend",
        )


def test_a_passing_fault_says_how_long_to_wait_and_its_cause() -> None:
    problem = TABLE.error("ERate limit: 3", "Balance")
    assert isinstance(problem, RateLimited)
    assert (problem.floor, problem.cause) == (15.0, "rate")
    other = TABLE.error("RATELIMIT", "Balance")
    assert isinstance(other, RateLimited)
    assert (other.floor, other.cause) == (30.0, "disconnected")


def test_what_no_row_knows_is_a_refusal_with_the_exchanges_words() -> None:
    problem = TABLE.error("strange {braces}", "Balance {x}", said="strange {braces} (7)", code=7)
    assert type(problem) is Refused
    assert problem.message == "Sixtex refused Balance {x}: strange {braces} (7)"

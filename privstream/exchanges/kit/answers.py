"""Asks over REST, and reads what answers have in common: what is the exchange's own at all.

The one rule: an answer that means "not now" is asked for again where the flow stands, so that
what was read so far is not read anew. Whoever runs the flow decides how patient it is.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import structs

from privstream.exchanges.kit.complaints import words_in, words_of
from privstream.exchanges.kit.refusals import NonceRefused
from privstream.model.errors import Unavailable, Unreachable
from privstream.model.exact import Malformed, decode
from privstream.model.http_errors import OUTAGE_FLOOR, check, excerpt
from privstream.model.rest import Call, HttpResponse, RestFlow

T = TypeVar("T")

NONCE_TRIES = 2
"""Another program may have used a larger nonce in the meantime; twice in a row is a pattern."""


def asked(call: Call, read: Callable[[HttpResponse], T]) -> RestFlow[T]:
    """Call until `read` takes the answer. Raises what another try would not mend.

    After a passing error the call is yielded again, with that error in `after`: whoever runs the
    flow waits and performs it, or throws the error into the flow. So it is only for calls that
    change nothing: an order whose answer was lost may exist.
    """
    nonces = NONCE_TRIES
    while True:
        response = yield call
        try:
            return read(response)
        except NonceRefused:
            nonces -= 1
            if not nonces:
                raise
            call = structs.replace(call, after=None)
        except Unreachable as problem:
            if not problem.retryable:
                raise
            call = structs.replace(call, after=problem)


class Answers:
    """Reads the answers of one exchange; `doing` is the call's name, for the message."""

    def __init__(self, title: str) -> None:
        self._title = title

    def decoded(self, response: HttpResponse, doing: str) -> Any:
        """The JSON of an answer. Raises where it is none of the exchange's: 429, 5xx, a page."""
        check(response, self._title)
        return self.parsed(response, doing)

    def parsed(self, response: HttpResponse, doing: str) -> Any:
        """The JSON of an answer whose status says nothing."""
        try:
            return decode(response.body)
        except Malformed as problem:
            raise self.lacks(doing) from problem

    def read_object(self, value: object, doing: str, what: str | None = None) -> dict[str, Any]:
        """An object. Raises where it is none; `what` is its name in the message."""
        if not isinstance(value, dict):
            raise self.lacks(doing, what, words_in(value))
        return value

    def read_list(self, value: object, doing: str, what: str | None = None) -> list[Any]:
        """A list, as `read_object`."""
        if not isinstance(value, list):
            raise self.lacks(doing, what, words_of(value) if isinstance(value, dict) else "")
        return value

    def lacks(self, doing: str, what: str | None = None, said: str = "") -> Unavailable:
        """The error for an answer without what is always in it; `said` are its words."""
        lack = "with no answer of its own" if what is None else f"without {what}"
        words = f": {excerpt(said)}" if said else ""
        return Unavailable(f"{self._title} answered {doing} {lack}{words}", floor=OUTAGE_FLOOR)

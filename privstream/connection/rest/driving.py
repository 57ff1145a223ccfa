"""Drives a REST flow: performs its calls, and tries again what could not be answered just now.

The one rule: a flow never begins anew; the call that failed is performed again where the flow
stands. What stays out of reach is thrown into the flow, which may have brought much already.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from privstream.exchanges.base import MALFORMED
from privstream.model import http_errors
from privstream.model.errors import Interrupted, PrivstreamError, Refused, Unavailable, Unreachable
from privstream.model.rest import Call, HttpResponse, RestFlow

T = TypeVar("T")

WAIT = 2.0
"""Seconds at least between two tries of one call."""


def driven(
    flow: RestFlow[T],
    perform: Callable[[Call], HttpResponse],
    pause: Callable[[float], None],
    *,
    tries: int = 1,
) -> T:
    """The flow's result. A call is performed `tries` times in a row where that may help.

    An interruption is not the exchange's doing, and ends the flow.
    """
    resume: Callable[[], Call] = partial(next, flow)
    name, failed = "", 0
    try:
        while True:
            call = _resumed(resume, name)
            name, failed = call.name, failed if call.after is not None else 0
            found = call.after or _performed(call, perform)
            while isinstance(found, PrivstreamError) and _may_help(found, failed + 1, tries):
                failed += 1
                pause(max(getattr(found, "floor", 0.0), WAIT))
                found = _performed(call, perform)
            resume = _onwards(flow, found)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


def _performed(
    call: Call, perform: Callable[[Call], HttpResponse]
) -> HttpResponse | PrivstreamError:
    try:
        return perform(call)
    except Interrupted:
        raise
    except (Refused, Unreachable) as problem:
        return problem


def _may_help(problem: PrivstreamError, failed: int, tries: int) -> bool:
    return problem.retryable and failed < tries


def _onwards(flow: RestFlow[T], found: HttpResponse | PrivstreamError) -> Callable[[], Call]:
    if isinstance(found, PrivstreamError):
        return partial(flow.throw, found)
    return partial(flow.send, found)


def _resumed(resume: Callable[[], Call], name: str) -> Call:
    """The flow's next call. An answer of a shape that it cannot read is an outage of theirs."""
    try:
        return resume()
    except MALFORMED as problem:
        why = f"the answer to {name} cannot be read: {type(problem).__name__}: {problem}"
        raise Unavailable(why, floor=http_errors.OUTAGE_FLOOR) from problem

"""One flow of REST calls on its way: looked after by the thread that owns it, never waited for.

The one rule: `poll` does not block. A request waits for its nonce and its answer in a thread
of its own; the flow itself runs in the owner's thread only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from privstream.connection.clock import Clock
from privstream.exchanges.base import MALFORMED
from privstream.model import http_errors
from privstream.model.errors import (
    Interrupted,
    PrivstreamError,
    RateLimited,
    Unavailable,
    Unreachable,
)
from privstream.model.exact import Unreadable
from privstream.model.reports import AnyReport, Listed
from privstream.model.rest import Call, HttpResponse, RestFlow

T = TypeVar("T")
NOT_AS_DOCUMENTED = "something in it is not as documented"

FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0


class Attempt(Protocol):
    """A request on its way."""

    def is_over(self) -> bool:
        """It was answered, it failed, or its time is over."""

    def result(self) -> HttpResponse:
        """The answer; raises why there is none."""

    def abandon(self) -> None:
        """Nobody waits for it any more: nothing more of it is sent."""


class Sender(Protocol):
    """Sends what a flow asks for."""

    def wait_for(self, call: Call, spare: float) -> float:
        """Take the call's cost out of the request budget and return 0, or the seconds to wait.

        `spare` is the share of the budget that is left to others.
        """

    def send(self, call: Call, limit: float | None) -> Attempt:
        """Put the call on its way; it has so many seconds at most."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a flow is driven."""

    tries: int = 1
    """So often a call is made before the flow is told that it failed for a passing reason."""
    spare: float = 0.0
    """The share of the request budget that this flow leaves to others."""


AT_ONCE = Manner()
"""Somebody waits for it: a failure is told at once."""
PATIENT = Manner(tries=5)
"""It is read beside the stream: a call that fails is made again from where the flow stopped."""
ASIDE = Manner(tries=5, spare=0.4)
"""As patient, and it leaves budget to what is more urgent."""


def _unsaid(_name: str) -> None:
    pass


class Job(Generic[T]):
    """A flow under way; `poll` it until it is over, then take its `result`."""

    def __init__(
        self,
        flow: RestFlow[T],
        sender: Sender,
        clock: Clock,
        *,
        manner: Manner = AT_ONCE,
        until: float | None = None,
        called: Callable[[str], None] = _unsaid,
    ) -> None:
        self._flow = flow
        self._sender = sender
        self._clock = clock
        self._manner = manner
        self._until = until
        """No request goes out later, by the monotonic clock."""
        self._called = called
        self._call: Call | None = None
        self._attempt: Attempt | None = None
        self._due = 0.0
        """The call that is to be made waits until then."""
        self._failures = 0
        """Of the same call, in a row."""
        self._is_hopeless = False
        """A call failed as often as it may, and none has been answered since."""
        self._was_answered = False
        self._outcome: list[T] = []
        self._problem: PrivstreamError | None = None
        self.begun = clock.now()
        self.answers = 0
        """Pages and other answers so far."""
        self.facts = 0
        """What these have told."""
        self.reached: str | None = None
        """How far the flow has read: the time of the last fact that it found."""
        self.trouble: str | None = None
        """Why a call is to be made again."""
        self._pages: list[AnyReport | Listed] = []
        self.is_over = False

    # --- its owner -------------------------------------------------------------------------

    def poll(self) -> bool:
        """Go on as far as that takes no waiting; true when it is over."""
        if self._call is None and not self.is_over:
            self._advance(lambda: next(self._flow))
        while not self.is_over and self._moved():
            pass
        return self.is_over

    @property
    def doing(self) -> str:
        """The call that is made or waited for."""
        return "" if self._call is None else self._call.name

    @property
    def patience(self) -> float:
        """Seconds in which nothing will happen, as far as is known."""
        return 0.0 if self._attempt is not None else max(0.0, self._due - self._now())

    def take_pages(self) -> list[AnyReport | Listed]:
        """What was read since the last time; the result has it, too."""
        pages, self._pages = self._pages, []
        return pages

    def result(self) -> T:
        """What it brought; raises what ended it."""
        if self._problem is not None:
            raise self._problem
        return self._outcome[0]

    def interrupt(self, why: Interrupted) -> None:
        """Stop asking; the flow may close with what it has."""
        self._drop_attempt()
        if not self.is_over:
            self._advance(lambda: self._flow.throw(why))
        if not self.is_over:  # it would ask on
            self._end(why)

    # --- a call ----------------------------------------------------------------------------

    def _moved(self) -> bool:
        if self._attempt is None and not self._began():
            return False
        if self._attempt is None:  # the flow was told that there is no time left
            return True
        if not self._attempt.is_over():
            return False
        attempt, self._attempt = self._attempt, None
        self._hear(attempt)
        return True

    def _began(self) -> bool:
        """Put the call on its way, if it is its time."""
        call = self._call
        if call is None or self._now() < self._due:
            return False
        wait = self._sender.wait_for(call, self._manner.spare)
        if self._until is not None and self._now() + wait >= self._until:
            self._fail(_too_late(call, wait))
        elif wait:
            self._due = self._now() + wait
            return False
        else:
            self._called(call.name)
            limit = None if self._until is None else self._until - self._now()
            self._attempt = self._sender.send(call, limit)
        return True

    def _hear(self, attempt: Attempt) -> None:
        try:
            response = attempt.result()
        except PrivstreamError as problem:
            self._fail(problem)
        else:
            self.answers += 1
            self._was_answered = True
            self.trouble = None
            self._advance(lambda: self._flow.send(response))

    def _fail(self, problem: PrivstreamError) -> None:
        """Without an answer: make the same call again, or let the flow know."""
        if not self._is_worth_another(problem):
            self._advance(lambda: self._flow.throw(problem))

    def _is_worth_another(self, problem: PrivstreamError) -> bool:
        self._failures += 1
        if not isinstance(problem, Unreachable) or not problem.retryable or _is_stop(problem):
            return False
        if self._is_hopeless or self._failures >= self._manner.tries:
            self._is_hopeless = True
            return False
        growing = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._failures - 1))
        self._due = self._now() + max(problem.floor, growing)
        self.trouble = problem.message
        return True

    # --- the flow --------------------------------------------------------------------------

    def _advance(self, step: Callable[[], Call]) -> None:
        """Let the flow go on to its next call, or to its end."""
        try:
            call: Call | None = step()
            while call is not None:
                call = self._refused(call)
        except StopIteration as end:
            self._outcome.append(end.value)
            self._end(None)
        except MALFORMED as problem:
            self._end(self._unreadable(problem))
        except PrivstreamError as problem:
            self._end(problem)

    def _refused(self, call: Call) -> Call | None:
        """Take the flow's next call; what it says instead where a call may not be made again."""
        problem = call.after
        was_answered, self._was_answered = self._was_answered, False
        if problem is None:
            self._failures, self._due = 0, 0.0
            self._is_hopeless = self._is_hopeless and not was_answered
        elif not self._is_worth_another(problem):
            return self._flow.throw(problem)
        self._call = call
        self.reached = call.reached or self.reached
        self._pages += call.found
        self.facts += len(call.found)
        return None

    def _unreadable(self, problem: Exception) -> Unavailable:
        name = "" if self._call is None else self._call.name
        said = str(problem) if isinstance(problem, Unreadable) else NOT_AS_DOCUMENTED
        why = f"the answer to {name} cannot be read: {said}"
        found = Unavailable(why, floor=http_errors.OUTAGE_FLOOR)
        found.__cause__ = problem
        return found

    def _end(self, problem: PrivstreamError | None) -> None:
        self._problem = problem
        self.is_over = True
        self._flow.close()

    def _drop_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.abandon()

    def _now(self) -> float:
        return self._clock.now().monotonic


def _is_stop(problem: Unreachable) -> bool:
    return isinstance(problem, Interrupted) and problem.cause == "stopped"


def _too_late(call: Call, wait: float) -> Unreachable:
    if wait:
        message = f"{call.name} must wait {wait:.0f} s for its request budget"
        return RateLimited(message, floor=wait)
    return Unreachable(f"no time left for {call.name}")

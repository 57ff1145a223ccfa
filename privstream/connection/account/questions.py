"""Asks over REST what the stream alone does not tell: orders told in part, balances, fees.

The one rule: one question at a time, beside the stream; what waits for an answer that does
not come is told as far as it is known.
"""

from typing import Any

from privstream.connection.account.context import Context
from privstream.connection.account.conversation import Conversation
from privstream.connection.rest.job import AT_ONCE, Job
from privstream.model.errors import Interrupted, Refused, Unreachable
from privstream.model.session import Ask

WAITING = 100
"""Questions that wait for REST; where it is mute for long, the oldest are not put any more."""


class Questions:
    """What is asked for between frames, oldest first; look-ups before the rest."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: dict[str, Ask] = {}
        self._job: Job[tuple[Any, ...]] | None = None
        self._what = ""
        self._order_ids: tuple[str, ...] = ()
        self._said: dict[str, str] = {}
        """Why the last question of a kind had no answer: the same again is not said again."""

    @property
    def jobs(self) -> list[Job[Any]]:
        """What is asked just now."""
        return [] if self._job is None else [self._job]

    @property
    def is_asking(self) -> bool:
        """Something is asked just now."""
        return self._job is not None

    @property
    def is_idle(self) -> bool:
        """Nothing is asked, and nothing waits for its turn."""
        return self._job is None and not self._waiting

    def poll(self) -> None:
        """Hear what REST has answered."""
        if self._job is not None:
            self._job.poll()

    def step(self, talk: Conversation) -> None:
        """Go on as far as that takes no waiting."""
        for ask in talk.take_asks():
            self.put(ask)
        if self._job is not None and self._job.is_over:
            self._hear(self._job)
        if self._job is None:
            self._begin()

    def put(self, ask: Ask) -> None:
        """Ask it in its turn; the newest of a kind replaces one that was not put yet."""
        self._waiting[ask.what] = ask
        if len(self._waiting) > WAITING:
            self._waiting.pop(next(iter(self._waiting)))

    def forget(self) -> None:
        """The connection is gone whose news were asked about; what waits is asked anew."""
        if self._job is not None:
            self._job.interrupt(Interrupted("the connection is gone"))
        self._job, self._order_ids = None, ()
        self._waiting.clear()

    def _begin(self) -> None:
        wanted = self._context.ledger.wanted
        if wanted:
            self._order_ids = tuple(sorted(wanted))
            self._what = f"order {', '.join(self._order_ids)}"
            flow = self._context.exchange.look_up(self._order_ids)
        elif self._waiting:
            self._what = next(iter(self._waiting))
            flow = self._waiting.pop(self._what).flow
        else:
            return
        self._job = self._context.start(flow, AT_ONCE)

    def _hear(self, job: Job[tuple[Any, ...]]) -> None:
        order_ids, self._job, self._order_ids = self._order_ids, None, ()
        merging = self._context.merging
        try:
            merging.take(job.result(), job.begun.monotonic)
        except (Refused, Unreachable) as problem:
            # What waits for it is told as far as it is known: its nulls say what is missing.
            self._say(f"could not look up {self._what}: {problem.message}")
        else:
            self._said.pop(self._what, None)
        if order_ids:
            merging.settle(order_ids)

    def _say(self, text: str) -> None:
        if self._said.get(self._what) == text:
            return
        if not self._order_ids:  # each order is asked for once
            self._said[self._what] = text
        self._context.merging.warn("look_up", text)

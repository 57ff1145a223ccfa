"""One order: what is known of it, what was emitted, and what waits. Pure."""

from typing import Any, Self

import msgspec

from privstream.memory.age import Age, Moment
from privstream.memory.fills import NO_FILLS, Fills, Sums
from privstream.memory.order_facts import OrderFacts
from privstream.memory.order_states import PART
from privstream.memory.remembered import StateNames
from privstream.model.events import TERMINAL
from privstream.model.reports import OrderFields, OrderReport


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an order for the next run."""

    fields: dict[str, str | None]
    emitted: str | None
    """Not `None` where the fields were emitted."""
    states: dict[str, int]
    """The states by name, as the first version kept them."""
    fills: Sums
    count: int = 0
    marks: bytes | None = b""
    dated: str | None = None
    heard: str | None = None
    flags: tuple[bool, ...] = ()
    """Ended, end shown, whole (as the first versions kept it), amounts stated, streamed, fixed."""


class KnownOrder:
    """One order of the account."""

    __slots__ = (
        "_emitted",
        "_has_grown",
        "_has_shown_end",
        "_names",
        "facts",
        "found",
        "has_been_emitted",
        "has_learnt",
        "is_kept",
        "looked_up",
        "order_id",
        "parked",
        "touched",
    )

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.facts = OrderFacts()
        self.parked: list[OrderReport] = []
        """Reports that wait for the rest of the order to be looked up."""
        self.found: OrderReport | None = None
        """What the look-up brought."""
        self.looked_up = False
        self.is_kept = False
        """What was emitted last is noted for the next run."""
        self.has_learnt = False
        """More is known than what was noted for the next run."""
        self.touched = 0
        """Minute of the last news, once it has ended."""
        self.has_been_emitted = False
        self._emitted: int | None = None
        """A hash of what a user saw last, where that was not one more fill only."""
        self._has_grown = False
        """What is known is what a user saw last, or sees next: one more fill than before."""
        self._has_shown_end = False
        self._names = StateNames()

    # --- across runs -------------------------------------------------------------------

    @classmethod
    def restored(cls, order_id: str, kept: bytes) -> Self:
        """As `kept` by a run before."""
        found = msgspec.json.decode(kept, type=Kept)
        order = cls(order_id)
        order.is_kept = True
        facts = order.facts
        facts.fields.update(found.fields)  # type: ignore[typeddict-item]  # they were once
        facts.fills = Fills(*found.fills)
        facts.age = Age(found.dated, found.heard)
        order._restore_flags(found.flags)
        order._names.restore(found.count, found.marks)
        for state, times in found.states.items():
            order._names.recall(state, times)
        if found.emitted is not None:
            order._emitted, order.has_been_emitted = facts.visible, True
        return order

    def kept(self, *, fills: bool) -> bytes:
        """What the next run must know; without `fills` where they are not remembered either."""
        facts, self.has_learnt = self.facts, False
        fields: Any = facts.fields
        count, marks = self._names.kept
        return msgspec.json.encode(
            Kept(
                fields,
                "" if self.has_been_emitted else None,
                {},
                facts.fills.sums if fills else NO_FILLS,
                count,
                marks,
                facts.age.dated,
                facts.age.heard,
                self._flags,
            )
        )

    @property
    def _flags(self) -> tuple[bool, ...]:
        facts = self.facts
        ends = facts.has_ended, self._has_shown_end
        return *ends, False, facts.states_amounts, facts.was_streamed, facts.is_fixed

    def _restore_flags(self, flags: tuple[bool, ...]) -> None:
        """As `_flags`; older versions kept fewer of them, and the first none."""
        facts, ended = self.facts, self.facts.has_status_of_end
        missing = (ended, ended, False, False, False, False)[len(flags) :]
        facts.has_ended, self._has_shown_end, _, facts.states_amounts, *others = flags + missing
        facts.was_streamed, facts.is_fixed = others

    # --- what is known -----------------------------------------------------------------

    @property
    def fields(self) -> OrderFields:
        return self.facts.fields

    @property
    def is_open(self) -> bool:
        """It has not ended, as far as is known."""
        fields = self.facts.fields
        return bool(fields) and fields.get("status") not in TERMINAL

    @property
    def is_in_part(self) -> bool:
        """More must come yet: its look-up, its own word besides a fill, or its closing word."""
        return bool(self.parked) or not self.facts.has_ended

    # --- what is emitted ---------------------------------------------------------------

    def merge(self, report: OrderReport, moment: Moment) -> None:
        """Take what a report tells."""
        facts = self.facts
        if facts.take_next_fill(report, moment):
            self._has_grown = True
            return
        if self._has_grown:
            self._emitted, self._has_grown = facts.visible, False
        if self.has_been_emitted and facts.may_learn(report):
            self._learn(report)
        is_stream = report.source == "stream"
        was_so = bool(
            not is_stream and self._names and self._names.may_have(facts.after(report.fields).name)
        )
        facts.merge(report, moment, was_so=was_so)

    def _learn(self, report: OrderReport) -> None:
        """What was so already, and nobody had told: by itself it is no reason for an event."""
        before = self.facts.visible
        self.facts.learn(report)
        after = self.facts.visible
        self.has_learnt = self.has_learnt or before != after
        if self._emitted == before:
            self._emitted = after

    def next_state(self) -> str | None:
        """The name of the state now, or `None` where a user sees nothing new in it."""
        facts = self.facts
        if not self._has_grown:
            visible = facts.visible
            if visible == self._emitted:
                return None
            self._emitted = visible
        self.has_been_emitted = True
        ends = facts.fields.get("status") in TERMINAL
        name = self._names.name(facts.name, is_new=ends and not self._has_shown_end)
        self._has_shown_end = self._has_shown_end or ends
        return name

    def would_change(self, report: OrderReport, moment: Moment) -> bool:
        """Whether this report would make a state of another status, amount or terms."""
        if not self.has_been_emitted:
            return True
        trial = self.facts.copy()
        if trial.may_learn(report):
            trial.learn(report)
        before = trial.name
        was_so = self._names.may_have(trial.after(report.fields).name)
        trial.merge(report, moment, was_so=was_so)
        return trial.name.replace(PART, "") != before.replace(PART, "")

"""The fills of one account: each once, whoever tells of it and however often. Pure."""

from privstream.memory.orders import Orders
from privstream.memory.remembered import Remembered
from privstream.memory.run import Run
from privstream.model.events import Trade
from privstream.model.reports import Fill, OrderFields


class Trades:
    """Which fills were emitted."""

    def __init__(self, run: Run, orders: Orders) -> None:
        self._run = run
        self._orders = orders
        self._emitted = Remembered()
        self._history = Remembered()
        """Fills from before the start that a list or REST told."""

    def take(self, fill: Fill) -> list[Trade]:
        """A trade, where the fill is news."""
        run, key = self._run, fill.key or fill.trade_id
        if fill.source != "stream" and self._is_past(fill):
            if not self._emitted.has(key, fill.time):
                self._take_history(key, fill)
            return []
        if not self._emitted.add_new(key, fill.time, run.moment.received):
            return []
        order = self._order_of(key, fill)
        if not (run.emits("trades") and run.shows(fill.symbol, fill.exchange_symbol)):
            return []
        source = run.source_of(fill)
        identity = f"{run.view.account}:trade:{key}"
        if run.journal is not None:
            self._note("trade", key, fill, identity if source else None)
        if source is None:
            return []
        run.count("trade", source)
        return [run.make.trade(fill, order, identity, source, run.moment.received)]

    def would_emit(self, fill: Fill) -> bool:
        """Whether taking it, as read back, would emit something; changes nothing."""
        return not (self._emitted.has(fill.key or fill.trade_id, fill.time) or self._is_past(fill))

    def _is_past(self, fill: Fill) -> bool:
        """It is from before the start, or so old that it was emitted and forgotten."""
        time = fill.time
        return time is not None and (self._run.is_before_start(time) or self._emitted.is_past(time))

    def _take_history(self, key: str, fill: Fill) -> None:
        """A fill from before the start. Should the stream tell it yet, it was none: clocks differ."""
        if self._history.has(key, fill.time):
            return
        self._history.add(key, fill.time, self._run.received)
        if fill.order_id is not None:
            self._orders.take_fill(fill.order_id, fill)
            if self._run.journal is not None:
                self._note("history", key, fill, None)

    def _order_of(self, key: str, fill: Fill) -> OrderFields:
        """What is known of a new fill's order, which has the fill from now on."""
        if fill.order_id is None:
            return {}
        if self._history and self._history.has(key, fill.time):
            return self._orders.fields_of(fill.order_id)
        return self._orders.take_fill(fill.order_id, fill)

    def resume_from(self, proven: str) -> None:
        """A run before emitted everything until then."""
        self._emitted.resume_from(proven)

    def forget(self, proven: str) -> None:
        """Everything until this moment was delivered."""
        self._emitted.forget(proven)
        self._history.forget(proven)

    # --- across runs -------------------------------------------------------------------

    def _note(self, kind: str, key: str, fill: Fill, event: str | None) -> None:
        if self._run.journal is None:
            return
        self._run.journal.keep(kind, key, (fill.time or "").encode(), event=event)
        if fill.order_id is not None:
            self._orders.note_fill(fill.order_id, event)

    def restore(self, kind: str, key: str, value: bytes) -> None:
        """A fill of a run before."""
        ids = self._emitted if kind == "trade" else self._history
        ids.restore(key, value.decode() or None)

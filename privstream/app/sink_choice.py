"""Which events a sink or a file gets, as its settings say."""

from collections.abc import Callable, Sequence

from msgspec.json import Decoder

from privstream.model.choosing import Choice, types_of
from privstream.model.events import AnyEvent, Status, Trade
from privstream.outputs.base import Output, Reopened
from privstream.outputs.sinks.base import Row
from privstream.settings.sinks import SinkSettings

STATUS, TRADE = "status", "trade"
_trades = Decoder(Trade)


class SinkChoice:
    """Says of events, and of rows of an outbox, whether they are for one sink."""

    def __init__(self, settings: SinkSettings, *, statuses: bool = True) -> None:
        """`statuses`: states of the connections are also for who does not name their type."""
        self.settings = settings
        self._accounts = settings.accounts
        self._types = _types(settings)
        self._statuses = statuses
        self._values = Choice(frozenset(), settings.min_value) if settings.min_value else None
        self.takes_statuses = self._types is not None and STATUS in self._types

    @property
    def takes_all(self) -> bool:
        """Nothing is left out."""
        return not self._accounts and self._types is None and self._values is None

    def wants_row(self, row: Row) -> bool:
        if not self._wants(row.account, row.type):
            return False
        if self._values is None or row.type != TRADE:
            return True
        return not self._values.is_small(_trades.decode(row.line))

    def wants(self, event: AnyEvent) -> bool:
        if not self._wants(event.account, str(type(event).__struct_config__.tag)):
            return False
        return not (
            self._values is not None and isinstance(event, Trade) and self._values.is_small(event)
        )

    def _wants(self, account: str, kind: str) -> bool:
        if self._accounts and account not in self._accounts:
            return False
        return (self._statuses or kind != STATUS) if self._types is None else kind in self._types


def _types(settings: SinkSettings) -> frozenset[str] | None:
    """`None`: all that there are."""
    if not settings.only:
        return settings.types or None
    only = types_of(settings.only)
    return only & settings.types if settings.types else only


class ChosenOutput:
    """An output that gets only what its settings want."""

    def __init__(self, output: Output, choice: SinkChoice) -> None:
        self._output = output
        self._choice = choice

    def write(self, events: Sequence[AnyEvent], /) -> None:
        if chosen := [event for event in events if self._choice.wants(event)]:
            self._output.write(chosen)

    def reopen(self) -> None:
        if isinstance(self._output, Reopened):
            self._output.reopen()

    def close(self) -> None:
        self._output.close()


def choosing(opened: Callable[[], Output], settings: SinkSettings) -> Callable[[], Output]:
    """Opens it with the settings' choice before it."""
    choice = SinkChoice(settings)
    return opened if choice.takes_all else lambda: ChosenOutput(opened(), choice)


def is_status(event: AnyEvent) -> bool:
    """It tells of the connection, not of the account."""
    return isinstance(event, Status)

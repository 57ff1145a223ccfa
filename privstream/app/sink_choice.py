"""Which events a sink or a file gets, as its settings say."""

from privstream.model.events import AnyEvent, Status
from privstream.outputs.sinks.base import Row
from privstream.settings.sinks import SinkSettings

STATUS = "status"


class SinkChoice:
    """Says of events, and of rows of an outbox, whether they are for one sink."""

    def __init__(self, settings: SinkSettings, *, statuses: bool = True) -> None:
        """`statuses`: states of the connections are also for who does not name their type."""
        self.settings = settings
        self._accounts = settings.accounts
        self._types = settings.types
        self._statuses = statuses
        self.takes_statuses = STATUS in settings.types

    def wants_row(self, row: Row) -> bool:
        return self._wants(row.account, row.type)

    def wants(self, event: AnyEvent) -> bool:
        return self._wants(event.account, str(type(event).__struct_config__.tag))

    def _wants(self, account: str, kind: str) -> bool:
        if self._accounts and account not in self._accounts:
            return False
        return kind in self._types if self._types else self._statuses or kind != STATUS


def is_status(event: AnyEvent) -> bool:
    """It tells of the connection, not of the account."""
    return isinstance(event, Status)

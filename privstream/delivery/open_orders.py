"""The orders that were open when the last run told of them, for who presses the tabulator.

The one rule: a state file is only looked at, and nobody waits for it.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

AT_ONCE = 0.02
"""Seconds that somebody at a prompt waits for it."""
_OPEN_ORDERS = (
    "SELECT key FROM notes WHERE kind = 'order' AND lasting ORDER BY number DESC LIMIT 200"
)


def open_order_ids(path: Path) -> list[str]:
    """Newest first; nothing where there is no such file, or none that can be read at once."""
    with suppress(sqlite3.Error), closing(opened_to_read(path, AT_ONCE)) as database:
        return [key for (key,) in database.execute(_OPEN_ORDERS)]
    return []


def opened_to_read(path: Path, busy: float) -> sqlite3.Connection:
    """The state file of an account; it stays as it is."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    if not path.with_name(f"{path.name}-wal").exists():
        uri += "&immutable=1"  # nobody writes; else SQLite would leave two files behind
    return sqlite3.connect(uri, uri=True, timeout=busy)

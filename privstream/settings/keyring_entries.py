"""The names of our entries in the keyring, which several config files share.

The one rule: an entry is removed only by the config file that made it. Entries of before
this rule, or that a person made, are read as they are named in the file, and never removed.
"""

import hashlib
from pathlib import Path

_DIGITS = 8


def entry_name(account: str, credential: str, config: Path) -> str:
    """A name that no other config file's account of this name has: `desk-api_key@3f2a91bc`."""
    return f"{account}-{credential}{_mark(config)}"


def is_own(entry: str, config: Path) -> bool:
    """Whether this config file made the entry."""
    return entry.endswith(_mark(config))


def _mark(config: Path) -> str:
    where = str(config.expanduser().resolve())
    return f"@{hashlib.sha256(where.encode()).hexdigest()[:_DIGITS]}"

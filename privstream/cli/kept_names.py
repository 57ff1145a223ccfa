"""Names of accounts and ids of open orders, as files have them, for completion.

The one rule: nothing but what a shell reads as a plain word is offered; nothing is checked.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence

PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def accounts(variables: Mapping[str, str], exchange: str | None) -> list[str]:
    """The accounts of the config file, in its order, on an exchange or on all.

    Raises OSError and ValueError where there is no file, or none that can be read.
    """
    with open(_config_path(variables), "rb") as file:  # noqa: PTH123 - pathlib takes longer
        found = tomllib.load(file)["accounts"]
    on = {name: section.get("exchange", name) for name, section in found.items()}
    if not on:
        raise LookupError("variables may make accounts then")
    return [name for name in on if PLAIN.fullmatch(name) and exchange in {None, on[name]}]


def open_orders(variables: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Ids of open orders, as runs with --resume have left them, newest first."""
    from pathlib import Path  # noqa: PLC0415 - as SQLite, where it is needed

    from privstream.delivery.open_orders import open_order_ids  # noqa: PLC0415

    folder = os.path.join(_base(variables, "XDG_STATE_HOME", ".local/state"), "privstream/resume")  # noqa: PTH118 - as above
    paths = [Path(folder, f"{name}.sqlite") for name in names if PLAIN.fullmatch(name)]
    # The exchange made them, and a shell may read more than letters in what it is offered.
    return [order for path in paths for order in open_order_ids(path) if PLAIN.fullmatch(order)]


def _config_path(variables: Mapping[str, str]) -> str:
    named = variables.get("PRIVSTREAM_CONFIG")
    return named or f"{_base(variables, 'XDG_CONFIG_HOME', '.config')}/privstream/config.toml"


def _base(variables: Mapping[str, str], variable: str, usual: str) -> str:
    folder = variables.get(variable, "")
    return folder if folder.startswith("/") else f"{variables['HOME']}/{usual}"

"""What is configured of an account, as a row to show: where each credential is, never what it is."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from privstream.model.exact import ascii_line, encode
from privstream.outputs.descriptor import write_all
from privstream.outputs.safe_text import safe_text
from privstream.outputs.terminal import line_width
from privstream.settings.config import AccountSettings, Config
from privstream.settings.credentials import (
    Environment,
    FromCommand,
    FromFile,
    FromKeyring,
    FromVariable,
    Origin,
)

STDOUT = 1
MASK = "****"


class Place(Struct, frozen=True):
    """Where a credential is. `set` is known of variables and of the file's own text."""

    kind: str
    place: str | None
    set: bool | None

    def __str__(self) -> str:
        if self.kind == "config":
            return f"config file {MASK}"
        if self.kind == "env":
            return f"env {self.place} {'(set)' if self.set else '(not set)'}"
        if self.kind == "command":
            return f"command {self.place or MASK} …"
        return f"{self.kind} {self.place}"


class Row(Struct, frozen=True):
    """One account."""

    account: str
    exchange: str
    options: Mapping[str, str]
    read_only: bool
    source: str
    """`file` or `environment`: where the account itself comes from."""
    credentials: Mapping[str, Place]


def rows(config: Config) -> list[Row]:
    """All accounts, those that the environment makes too. Nothing is fetched."""
    return [row_of(config.settings(name), config) for name in config.names()]


def row_of(settings: AccountSettings, config: Config) -> Row:
    """One account's row."""
    return Row(
        settings.name,
        settings.exchange,
        dict(settings.options),
        settings.read_only,
        "file" if settings.name in config.accounts else "environment",
        {key: place_of(o, config.environment) for key, o in settings.credentials.items()},
    )


def place_of(origin: Origin, environment: Environment) -> Place:
    """Where a credential is, as far as it may be told."""
    match origin:
        case FromVariable(name=name):
            return Place("env", name, name in environment)
        case FromFile(path=path):
            return Place("file", path, None)
        case FromCommand(arguments=arguments):
            return Place("command", _program(arguments[0], environment), None)
        case FromKeyring(entry=entry):
            return Place("keyring", entry, None)
        case _:
            return Place("config", None, True)


def _program(first: str, environment: Environment) -> str | None:
    """The name of a command's program, where there is one: some write the secret into a command."""
    path = environment.reveal().get("PATH", os.defpath)
    return Path(first).name if shutil.which(first, path=path) else None


# --- printing ------------------------------------------------------------------------------


def print_lines(found: Iterable[Row]) -> None:
    """One JSON object per line."""
    for row in found:
        write_all(STDOUT, ascii_line(encode(row)) + b"\n")


def print_table(found: Iterable[Row], *, colour: bool) -> None:
    """For a person."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - start-up time
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for heading in ("account", "exchange", "options", "orders", "credentials"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    console = Console(
        width=line_width(STDOUT) or 100,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
    )
    with console.capture() as drawn:
        console.print(table)
    lines = [line.rstrip() for line in drawn.get().splitlines()]
    write_all(STDOUT, "".join(f"{line}\n" for line in lines if line).encode())


def _cells(row: Row) -> list[str]:
    options = " ".join(f"{key}={value}" for key, value in row.options.items())
    places = (f"{key}: {safe_text(str(place))}" for key, place in row.credentials.items())
    environment = " (environment)" if row.source == "environment" else ""
    orders = "no (read_only)" if row.read_only else "allowed"
    return [row.account + environment, row.exchange, options, orders, "\n".join(places)]

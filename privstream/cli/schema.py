"""`privstream schema [TYPE]`: the JSON Schema of what is printed, made from the types themselves."""

from typing import Annotated

import msgspec
import typer

from privstream.cli import completion
from privstream.cli import options as o
from privstream.model.errors import UsageError
from privstream.model.events import TYPES, AnyEvent
from privstream.model.nearest import suggestion
from privstream.outputs.descriptor import write_all

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(
    type_: Annotated[
        str | None,
        typer.Argument(
            metavar="[TYPE]",
            help=f"One of {', '.join(TYPES)}.",
            autocompletion=completion.words(*TYPES),
        ),
    ] = None,
    *,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Print the JSON Schema of one event type, or of any event line."""
    del quiet, verbose, debug  # nothing is said besides
    if type_ is not None and type_ not in TYPES:
        raise UsageError(f"there is no event type {type_!r}", suggestion(type_, TYPES))
    described = schema_of(AnyEvent if type_ is None else TYPES[type_])
    write_all(1, msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n")


def schema_of(kind: object) -> dict[str, object]:
    """JSON Schema (2020-12) of a type; no other keys are allowed than those it names."""
    described = {"$schema": DRAFT, **msgspec.json.schema(kind)}
    for definition in described["$defs"].values():
        definition["additionalProperties"] = False
    return described

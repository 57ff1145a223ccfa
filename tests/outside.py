"""What stands outside of the program, as tests bring it."""

import os
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import typer

from privstream.app.asking import Person
from privstream.app.environment import Environment
from privstream.cli.outside import Process
from privstream.delivery.signals import Stop
from privstream.outputs.console import Console


def environment(
    variables: Mapping[str, str] | None = None, stop: Stop | None = None, **said: Any
) -> Environment:
    """An environment whose stdout is no terminal; `said` is for its console."""
    stop = stop or Stop()
    console = Console(sys.stderr, **said)
    return Environment(
        variables=dict(os.environ) if variables is None else variables,
        stop=stop,
        stdin=sys.stdin,
        console=console,
        person=Person(console, stop, sys.stdin),
    )


def context(stop: Stop | None = None) -> typer.Context:
    """What Typer hands to a command that is called without it."""
    root = SimpleNamespace(obj=Process(stop or Stop()))
    return cast("typer.Context", SimpleNamespace(find_root=lambda: root))

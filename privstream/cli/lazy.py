"""A command group that imports a command only when it is used.

Start-up is frequent and every import is paid by everybody: the group knows the
one-line help of its commands without loading them.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

CommandSource = str | Callable[[], Any]
"""`module:function`, or a function that makes the Click command."""


def as_command(function: Callable[..., Any], name: str) -> Any:
    """The Click command of a function with Typer's annotations."""
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False
    )
    app.command(name)(function)
    return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """Commands by name: their one-line help, and where they come from."""

    def __init__(self, *, lazy: Mapping[str, tuple[str, CommandSource]], **settings: Any) -> None:
        super().__init__(rich_markup_mode=None, no_args_is_help=True, **settings)
        self._lazy = lazy

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Click's signature
        return list(self._lazy)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in self._lazy:
            _, source = self._lazy[cmd_name]
            if isinstance(source, str):
                module, _, function = source.partition(":")
                self.commands[cmd_name] = as_command(
                    getattr(import_module(module), function), cmd_name
                )
            else:
                self.commands[cmd_name] = source()
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Click's signature
        rows = [(name, short) for name, (short, _) in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

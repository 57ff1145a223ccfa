"""A command group that imports a command only when it is used.

Start-up is frequent and every import is paid by everybody: the group knows the
one-line help of its commands without loading them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from privstream.cli.commands import CommandSource
from privstream.model.errors import PrivstreamError, UsageError
from privstream.model.nearest import suggestion

_NAMES = ("FILE", "PATH", "URL", "NAME", "ACCOUNT")
SHOWN = 40
"""Characters of a wrong word that are quoted."""


def as_command(function: Callable[..., Any], name: str) -> Any:
    """The Click command of a function with Typer's annotations."""
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False
    )
    app.command(name, cls=CarefulCommand)(function)
    return typer.main.get_command(app)


@cache
def _imported(source: str, name: str) -> Any:
    """The command of a function `module:function`; for all command lines of a process."""
    module, _, function = source.partition(":")
    return as_command(getattr(import_module(module), function), name)


class CarefulCommand(TyperCommand):
    """A command for which an empty text, from an unset variable perhaps, is not the same as none."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest: list[str] = super().parse_args(ctx, args)
        if ctx.resilient_parsing:  # a line that is still being typed
            return rest
        for parameter in self.params:
            value = ctx.params.get(parameter.name)
            texts = value if isinstance(value, list | tuple) else [value]
            _check_texts(parameter, [text for text in texts if isinstance(text, str)])
        return rest

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_examples(ctx.command_path, formatter)
        super().format_epilog(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        return _bare(super().shell_complete(ctx, incomplete))


def _check_texts(parameter: Any, texts: list[str]) -> None:
    if not all(map(str.strip, texts)):
        raise is_empty(_shown(parameter))
    # Files may have any name, and accounts are looked for by theirs; the rest goes into requests.
    named = str(parameter.metavar or parameter.name).upper()
    if not any(word in named for word in _NAMES) and any(map(_is_torn, texts)):
        raise UsageError(f"{_shown(parameter)} is no UTF-8 text")


def _is_torn(text: str) -> bool:
    """It came as bytes that are no text: Python keeps these as lone surrogates."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _bare(items: Any) -> Any:
    """Without their help, for which Typer would load Rich: longer than one waits at a prompt."""
    for item in items:
        item.help = None
    return items


def _write_examples(path: str, formatter: Any) -> None:
    from privstream.cli.examples import examples_of  # noqa: PLC0415 - only where help is printed

    with formatter.section("Examples"):
        for example in examples_of(path):
            for line in example.splitlines():
                formatter.write(f"  {line}\n")


def is_empty(what: str) -> UsageError:
    """The error for a text without anything in it."""
    return UsageError(f"{what} is empty", "a variable of the shell may be unset")


def _shown(parameter: Any) -> str:
    """As its user knows it: `--account`, `ORDER_ID`."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.make_metavar(None) if parameter.metavar is None else parameter.metavar)


class LazyGroup(TyperGroup):
    """Commands by name: their one-line help, and where they come from."""

    before = 0
    """Arguments that stand before the command's name."""

    def __init__(self, *, lazy: Mapping[str, tuple[str, CommandSource]], **settings: Any) -> None:
        super().__init__(rich_markup_mode=None, no_args_is_help=True, **settings)
        self._lazy = lazy
        self._are_names_enough = False

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        self._are_names_enough = True  # else every command would be loaded to be named
        try:
            return _bare(super().shell_complete(ctx, incomplete))
        finally:
            self._are_names_enough = False

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if ctx.resilient_parsing:  # a line that is still being typed
            return super().resolve_command(ctx, args)
        if args and not args[0].strip():
            raise is_empty("the command")
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            message = f"there is no {ctx.command_path} {args[0][:SHOWN]}"
            raise UsageError(
                message, self._account(ctx, args[0]) or suggestion(args[0], self._lazy)
            )
        return super().resolve_command(ctx, args)

    def _account(self, ctx: Any, word: str) -> str | None:
        """A hint for an account's name where that of its exchange belongs."""
        from privstream.settings.config import load  # noqa: PLC0415 - only for who erred

        try:
            config = load(ctx.find_root().obj.variables)
            exchange = config.settings(word).exchange if word in config.names() else ""
        except PrivstreamError:  # a command that needs the settings says what is wrong with them
            return None
        return f"did you mean {exchange} -a {word}?" if exchange in self._lazy else None

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_examples(ctx.command_path, formatter)
        super().format_epilog(ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Click's signature
        return list(self._lazy)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if self._are_names_enough:
            return TyperCommand(cmd_name)
        if cmd_name not in self.commands and cmd_name in self._lazy:
            _, source = self._lazy[cmd_name]
            self.commands[cmd_name] = (
                _imported(source, cmd_name) if isinstance(source, str) else source()
            )
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Click's signature
        rows = [(name, short) for name, (short, _) in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

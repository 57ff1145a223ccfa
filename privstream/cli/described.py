"""Descriptions of commands for quick completion, made where a command has been loaded anyway.

The one rule: what a description cannot say is not described, and the command goes on being asked.
"""

import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from tempfile import NamedTemporaryFile
from typing import Any, get_args

from privstream.cli.quick_completion import (
    ACCOUNTS,
    ORDERS,
    Described,
    Offer,
    Unknown,
    kept,
    kept_path,
    line_of,
    stamp,
)
from privstream.model.errors import PrivstreamError


def keep_description(
    group: Any, settings: Mapping[str, Any], instruction: str, variables: Mapping[str, str]
) -> None:
    """Describe the commands of a line that is being typed, for the next time."""
    with suppress(OSError, ValueError, LookupError, Unknown, PrivstreamError):
        line = line_of(instruction, variables)
        found = dict(_along(group, settings, line.words))
        _keep(found, variables)


def _along(group: Any, settings: Mapping[str, Any], words: Any) -> Iterator[tuple[str, Described]]:
    """The group, and each command that the words name, by their path."""
    command, path = group, ""
    context = group.make_context("privstream", [], resilient_parsing=True, **settings)
    words = iter(words)
    while True:
        yield path, _described(command, context, path)
        if not hasattr(command, "list_commands"):
            return
        word = next(islice(words, command.before, None), None)
        command = None if word is None else command.get_command(context, word)
        if command is None:
            return
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
        path = f"{path} {word}".strip()


def _described(command: Any, context: Any, path: str) -> Described:
    offers = _offers(command.callback) if command.callback is not None else {}
    rows = [_row(one, offers) for one in command.get_params(context)]
    options = [row for row in rows if row.pop("is_option")]
    if hasattr(command, "list_commands"):
        commands = command.list_commands(context)
        return {"commands": commands, "options": options, "before": command.before}
    return {
        "options": options,
        "arguments": [row for row in rows if row not in options],
        "exchange": _exchange_of(path),
    }


def _row(parameter: Any, offers: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    is_option = parameter.param_type_name == "option"
    takes = not getattr(parameter, "is_flag", False)
    return {
        "is_option": is_option,
        "names": [*parameter.opts, *parameter.secondary_opts],
        "takes": takes,
        "hidden": is_option and parameter.hidden,
        "many": parameter.multiple or parameter.nargs < 0 if is_option else parameter.nargs < 0,
        "offer": _offer(parameter, offers.get(parameter.name)),
    }


def _offer(parameter: Any, source: Callable[..., Any] | None) -> Offer:
    from privstream.cli.completion import account_names, order_ids  # noqa: PLC0415 - which imports this

    if source is None:
        return [str(one) for one in getattr(parameter.type, "choices", ())]
    if source in {account_names, order_ids}:
        return ACCOUNTS if source is account_names else ORDERS
    if inspect.signature(source).parameters:
        raise Unknown
    return [str(one) for one in source()]


def _offers(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """What completes each parameter, as its annotation has it."""
    found = {}
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        for note in get_args(parameter.annotation)[1:]:
            if source := getattr(note, "autocompletion", None):
                found[name] = source
    return found


def _exchange_of(path: str) -> str | None:
    from privstream.exchanges import names  # noqa: PLC0415 - start-up time

    last = path.rpartition(" ")[2]
    return last if last in names() else None


def _keep(found: Mapping[str, Described], variables: Mapping[str, str]) -> None:
    from privstream.settings.private_files import cache_dir  # noqa: PLC0415 - start-up time

    commands: dict[str, Described] = {}
    with suppress(OSError, ValueError, LookupError, Unknown):
        commands = kept(variables)
    if all(commands.get(path) == one for path, one in found.items()):
        return
    text = json.dumps({"stamp": stamp(), "commands": {**commands, **found}})
    with NamedTemporaryFile("w", dir=cache_dir(variables), delete=False) as file:
        file.write(text)
    os.replace(file.name, kept_path(variables))  # noqa: PTH105 - what has two names is one of them

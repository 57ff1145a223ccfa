"""What may come next on a command line, told without loading the commands: from what was kept of them.

The one rule: in doubt it answers nothing, and the commands themselves are asked. What is kept of a
command is kept for the files that it was made of, and nothing of a person is in it.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

ACCOUNTS, ORDERS = "accounts", "orders"
"""Words that are looked up when they are asked for."""
Offer: TypeAlias = "str | list[str]"
"""The words that fit, or where to look them up."""
Described: TypeAlias = dict[str, Any]
"""A group: `commands`, `options`. A command: `options`, `arguments`, and its `exchange`."""
QUOTING = frozenset("'\"\\`$")
SOURCES = ("cli", "exchanges")
OPEN_TO_CHANGE = 0o022
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
"""The letters of what is offered: none means anything to a shell."""


class Unknown(Exception):
    """The commands themselves must be asked."""


class Line:
    """A command line that is being typed."""

    def __init__(self, shell: str, words: Sequence[str], incomplete: str) -> None:
        self.shell = shell
        self.words = words
        """Those before the one that is completed, and after the program's name."""
        self.incomplete = incomplete


def line_of(instruction: str, variables: Mapping[str, str]) -> Line:
    """What a shell asks about. Raises Unknown for quoted words and for other questions."""
    shell = instruction.removeprefix("complete_")
    if shell == "bash":
        text, count = variables.get("COMP_WORDS", ""), variables.get("COMP_CWORD", "")
        words = text.split()
        if not count.isdecimal() or QUOTING & set(text):
            raise Unknown
        at = int(count)
        return Line(shell, words[1:at], words[at] if at < len(words) else "")
    text = variables.get("_TYPER_COMPLETE_ARGS", "")
    if shell not in {"zsh", "fish"} or QUOTING & set(text):
        raise Unknown
    words = text.split()[1:]
    incomplete = words.pop() if words and not text.endswith(" ") else ""
    return Line(shell, words, incomplete)


def answer(variables: Mapping[str, str], instruction: str) -> tuple[str, int] | None:
    """What to print and the exit code; `None` where the commands themselves must be asked."""
    try:
        line = line_of(instruction, variables)
        found = [word for word in _Reading(line, variables).offered() if _fits(word, line)]
    except (Unknown, OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return printed(line.shell, found, variables)


def printed(shell: str, words: Sequence[str], variables: Mapping[str, str]) -> tuple[str, int]:
    """As Typer's scripts for the shells take it."""
    if shell == "fish" and variables.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", int(not words)
    if shell != "zsh":
        return "\n".join(words) + "\n" if words or shell == "fish" else "", 0
    listed = "\n".join(f'"{word}"' for word in words)
    return (f"_arguments '*: :(({listed}))'\n" if words else "_files\n"), 0


def _fits(word: str, line: Line) -> bool:
    return word.startswith(line.incomplete) and PLAIN.issuperset(word)


# --- what is kept --------------------------------------------------------------------------


def kept_path(variables: Mapping[str, str]) -> str:
    """Where descriptions of commands are kept."""
    base = variables.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117 - pathlib takes longer than the answer
        base = os.path.join(variables["HOME"], ".cache")  # noqa: PTH118 - the same
    return os.path.join(base, "privstream", "completion.json")  # noqa: PTH118 - the same


def stamp() -> list[int]:
    """Tells whether the commands are still those that were described."""
    package = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - as above
    count = newest = 0
    for source in SOURCES:
        for file in _files(f"{package}/{source}"):
            count += 1
            newest = max(newest, file.stat().st_mtime_ns)
    return [count, newest]


def _files(folder: str) -> "Iterator[os.DirEntry[str]]":
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _files(entry.path)


def kept(variables: Mapping[str, str]) -> dict[str, Described]:
    """Descriptions by the command's path; empty where none are. Raises OSError, ValueError."""
    with open(kept_path(variables), encoding="utf-8") as file:  # noqa: PTH123 - as above
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid() or status.st_mode & OPEN_TO_CHANGE:
            raise Unknown  # a shell may run what it is offered
        found = json.load(file)
    if found["stamp"] != stamp():
        raise Unknown
    commands: dict[str, Described] = found["commands"]
    return commands


# --- reading a line ------------------------------------------------------------------------


class _Reading:
    """Finds out what is being typed: a command, an option, its value, or an argument."""

    def __init__(self, line: Line, variables: Mapping[str, str]) -> None:
        self._line = line
        self._variables = variables
        self._commands = kept(variables)
        self._account: str | None = None

    def offered(self) -> list[str]:
        path, rest = "", list(self._line.words)
        node = self._commands[path]
        while "commands" in node:
            before, rest = rest[: node["before"]], rest[node["before"] :]
            if len(before) < node["before"]:
                return []  # of `record` the shell completes the file
            if not rest:
                return self._options(node, ()) if self._is_option else list(node["commands"])
            word = rest.pop(0)
            if word not in node["commands"]:
                raise Unknown
            path = f"{path} {word}".strip()
            node = self._commands[path]
        return self._of_command(node, rest)

    @property
    def _is_option(self) -> bool:
        if "=" in self._line.incomplete:
            raise Unknown
        return self._line.incomplete.startswith("-")

    def _of_command(self, node: Described, words: list[str]) -> list[str]:
        options = {name: row for row in node["options"] for name in row["names"]}
        used: list[str] = []
        count = 0
        while words:
            word = words.pop(0)
            if word == "--" or "=" in word:
                raise Unknown
            if not word.startswith("-") or word == "-":
                count += 1
            elif word not in options:
                raise Unknown
            else:
                row = options[word]
                used.append(row["names"][0])
                if row["takes"] and not words:
                    return self._words(row["offer"], node)
                if row["takes"]:
                    self._take(word, words.pop(0))
        if self._is_option:
            return self._options(node, used)
        for argument in node["arguments"]:
            if argument["many"] or count == 0:
                return self._words(argument["offer"], node)
            count -= 1
        return []

    def _take(self, option: str, value: str) -> None:
        if option in {"-a", "--account"}:
            self._account = value

    def _options(self, node: Described, used: Sequence[str]) -> list[str]:
        return [
            name
            for row in node["options"]
            if not row["hidden"] and (row["many"] or row["names"][0] not in used)
            for name in row["names"]
        ]

    def _words(self, offer: Offer, node: Described) -> list[str]:
        if isinstance(offer, list):
            return offer
        from privstream.cli import kept_names  # noqa: PLC0415 - only where names are asked for

        names = kept_names.accounts(self._variables, node["exchange"])
        if offer == ACCOUNTS:
            return names
        return kept_names.open_orders(self._variables, [self._account] if self._account else names)

"""Prints what `doctor` found: marked lines for a person, JSON lines for a program.

The one rule: an exchange's text is foreign, so nothing of it commands the terminal.
"""

import sys
from typing import Protocol

from privstream.app.environment import Environment
from privstream.doctor.findings import Finding, Level
from privstream.model.exact import ascii_line, encode
from privstream.outputs.descriptor import write_all
from privstream.outputs.safe_text import safe_text, wrapped
from privstream.outputs.terminal import line_width

STDOUT = 1
GENERAL = "this machine"
MARKS: dict[Level, str] = {"ok": "✓", "warning": "!", "error": "✗", "skipped": "-"}
PLAIN_MARKS: dict[Level, str] = {"ok": "ok", "warning": "! ", "error": "X ", "skipped": "- "}
COLORS: dict[Level, str] = {"ok": "32", "warning": "30;43", "error": "31", "skipped": "2"}
"""As a terminal takes them; to be read on a white background too."""


class Printer(Protocol):
    """Where findings go."""

    def show(self, finding: Finding) -> None:
        """Print it at once."""


class LinePrinter:
    """One JSON object per finding."""

    def __init__(self, environment: Environment) -> None:
        self._patience = environment.stop.patience

    def show(self, finding: Finding) -> None:
        write_all(STDOUT, ascii_line(encode(finding.line())) + b"\n", self._patience)


class PagePrinter:
    """Marked lines under the account's name, each mend below its line."""

    def __init__(self, environment: Environment) -> None:
        self._patience = environment.stop.patience
        self._lively = environment.colour
        self._plain = environment.variables.get("TERM") == "dumb" or not _shows_marks()
        self._shown: Finding | None = None

    def show(self, finding: Finding) -> None:
        lines = self._lines(finding)
        if self._shown is None:
            lines = [self._heading(finding), *lines]
        elif self._shown.account != finding.account:
            lines = ["", self._heading(finding), *lines]
        self._shown = finding
        text = "".join(f"{line}\n" for line in lines)
        shown = text.encode(sys.stdout.encoding or "ascii", "replace")
        write_all(STDOUT, shown, self._patience)

    def _heading(self, finding: Finding) -> str:
        known = finding.account is None or finding.exchange in {None, finding.account}
        suffix = "" if known else f" ({finding.exchange})"
        return self._colored(f"{safe_text(finding.account or GENERAL)}{suffix}", "1")

    def _lines(self, finding: Finding) -> list[str]:
        mark = (PLAIN_MARKS if self._plain else MARKS)[finding.level]
        first, *others = self._wrapped(finding.message, 3 + len(mark))
        lines = [f"  {self._colored(mark, COLORS[finding.level])} {first}"]
        indent = " " * (3 + len(mark))
        lines += [f"{indent}{line}" for line in others]
        if finding.hint is not None:
            arrow = "->" if self._plain else "→"
            first, *others = self._wrapped(finding.hint, len(indent) + len(arrow) + 1)
            lines.append(f"{indent}{arrow} {first}")
            lines += [f"{indent}{' ' * len(arrow)} {line}" for line in others]
        return lines

    @staticmethod
    def _wrapped(text: str, indent: int) -> list[str]:
        cells = line_width(STDOUT)
        return wrapped(safe_text(text), None if cells is None else cells - indent)

    def _colored(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._lively else text


def _shows_marks() -> bool:
    try:
        "".join((*MARKS.values(), "→")).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True

"""What a check found: one line for a person or for a program.

The one rule: no secret, and no text of a config file that might be one, gets into a finding.
"""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs

from privstream.model.errors import Exit, PrivstreamError

Level: TypeAlias = Literal["ok", "warning", "error", "skipped"]
SEVERITY = (Exit.DONE, Exit.UNREACHABLE, Exit.REFUSED, Exit.CONFIG, Exit.OURS)
"""The worst comes last."""


class Finding(Struct, frozen=True):
    """One line. Only errors make the command fail."""

    account: str | None
    exchange: str | None
    check: str
    level: Level
    message: str
    hint: str | None
    exit: Exit = Exit.DONE

    @property
    def ok(self) -> bool | None:
        """Whether it can stay as it is; `None` where that was not found out."""
        return None if self.level == "skipped" else self.level != "error"

    def line(self) -> dict[str, Any]:
        """The keys of the JSON line, in their order."""
        return {
            "account": self.account,
            "exchange": self.exchange,
            "check": self.check,
            "ok": self.ok,
            "level": self.level,
            "message": self.message,
            "hint": self.hint,
        }

    def about(self, exchange: str | None, account: str | None = None) -> "Finding":
        """The same finding, knowing whom it concerns."""
        return structs.replace(self, exchange=exchange, account=account)


def passed(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(None, None, check, "ok", message, None)


def warned(check: str, message: str, hint: str) -> Finding:
    """It works, but somebody should know."""
    return Finding(None, None, check, "warning", message, hint)


def skipped(check: str, message: str, hint: str | None = None) -> Finding:
    """It could not be found out."""
    return Finding(None, None, check, "skipped", message, hint)


def wrong(check: str, message: str, hint: str, code: Exit = Exit.CONFIG) -> Finding:
    """It will not work like this."""
    return Finding(None, None, check, "error", message, hint, code)


def failed(check: str, problem: PrivstreamError, otherwise: str) -> Finding:
    """What a command would have ended with; `otherwise` is the hint where the error has none."""
    return Finding(
        None, None, check, "error", problem.message, problem.hint or otherwise, problem.exit
    )


def worst(findings: Iterable[Finding]) -> Exit:
    """The exit code of all of them together."""
    return max((finding.exit for finding in findings), key=SEVERITY.index, default=Exit.DONE)

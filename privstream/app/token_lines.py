"""The lines of the `token` commands: one per account, for a person or for a program.

The one rule: stdout has what is, stderr has the sentence on what failed.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct, structs

from privstream.app.environment import Environment
from privstream.connection.ports import Life
from privstream.delivery.printer import SEVERITY
from privstream.model.errors import Exit, PrivstreamError
from privstream.model.exact import ascii_line, encode
from privstream.model.times import from_nanos
from privstream.outputs.base import NotTaken, ReaderGone
from privstream.outputs.calendar import Calendar
from privstream.outputs.console import STDOUT, Format
from privstream.outputs.descriptor import discard_stdout, write_all
from privstream.outputs.safe_text import safe_text

MASKED_END: Final = 4
"""Characters of a token that show, to tell two apart."""
MASKABLE: Final = 32
"""A shorter token does not show even those."""
UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
SIGNS: Final = {True: ("●", "32"), False: ("■", "31")}

Kind = Literal["token", "login"]


class Line(Struct, frozen=True, kw_only=True):
    """What is told of an account."""

    account: str
    exchange: str | None = None
    ok: bool = False
    kind: Kind | None = None
    expires: str | None = None
    ttl: int | None = None
    """Whole seconds, never more than there are."""
    renewed: bool = False
    error: str | None = None
    """The category of what went wrong."""


class TokenLine(Line, frozen=True, kw_only=True):
    """The same, and the token."""

    token: str


class Checked(Struct, frozen=True):
    """What became of an account."""

    line: Line
    problem: PrivstreamError | None = None


def token_line(account: str, exchange: str, life: Life) -> Line:
    """Of a token that is good."""
    return Line(
        account=account,
        exchange=exchange,
        ok=True,
        kind="token",
        expires=None if life.expires_at is None else from_nanos(life.expires_at),
        ttl=None if life.ttl is None else int(life.ttl),
        renewed=life.renewed,
    )


def with_token(line: Line, token: str, *, reveal: bool) -> TokenLine:
    """The same line with its token, masked: enough to tell two apart, far too little to use."""
    end = token[-MASKED_END:] if len(token) >= MASKABLE else ""
    return TokenLine(**structs.asdict(line), token=token if reveal else f"****{end}")


def failed(line: Line, problem: PrivstreamError) -> Checked:
    """The account of that line, after all, is not as it should be."""
    return Checked(structs.replace(line, ok=False, error=problem.category), problem)


class TokenLines:
    """Prints the lines, says what failed, and knows the exit code."""

    def __init__(
        self, environment: Environment, accounts: Sequence[str], *, json: bool, silent: bool = False
    ) -> None:
        self._console = environment.console
        self._stop = environment.stop
        self._width = max(len(safe_text(name)) for name in accounts)
        self._readable = environment.format(None, json=json) is Format.PRETTY
        self._silent = silent
        self._coloured = environment.colour
        self._calendar = Calendar(environment.zone)

    def print(self, results: Iterable[Checked]) -> Exit:
        """Print them as they come; returns the worst exit code. Raises Stopped."""
        worst = Exit.DONE
        for checked in results:
            if checked.problem is not None:
                worst = max(worst, checked.problem.exit, key=SEVERITY.index)
            try:
                if not self._silent:
                    write_all(STDOUT, self._line(checked.line), self._stop.patience)
            except (ReaderGone, NotTaken):
                # He wanted to know of all of them, and has not been told.
                discard_stdout()
                self._silent = True
                worst = max(worst, Exit.UNREACHABLE, key=SEVERITY.index)
            if checked.problem is not None:
                self._console.fail(checked.problem)
        return worst

    def _line(self, line: Line) -> bytes:
        if not self._readable:
            return ascii_line(encode(line)) + b"\n"
        sign, colour = SIGNS[line.ok]
        sign = f"\x1b[{colour}m{sign}\x1b[0m" if self._coloured else sign
        return f"{sign} {safe_text(line.account):{self._width}}  {self._told(line)}\n".encode()

    def _told(self, line: Line) -> str:
        if line.kind == "login" and line.ok:
            return "logged in and out"
        if line.ttl is None:
            return "a token, of which nobody says how long it lives" if line.ok else "failed"
        token = f" {safe_text(line.token)}" if isinstance(line, TokenLine) else ""
        until = f" (until {self._moment(line.expires)})" if line.expires else ""
        renewed = ", new" if line.renewed else ""
        short = "" if line.ok else ": too short"
        return f"token{token} for another {spoken(line.ttl)}{until}{renewed}{short}"

    def _moment(self, time: str) -> str:
        return self._calendar.shown(time, self._calendar.today())


def spoken(seconds: float) -> str:
    """A duration in its two largest units: 14 min 58 s."""
    left = int(seconds)
    parts: list[str] = []
    for size, unit in UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2])) or "0 s"

"""What stands outside of the program: made once, by whoever starts it, and handed to what it does.

The one rule: nothing below looks anything of it up by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from privstream.app.asking import Person
from privstream.delivery.signals import Stop
from privstream.model.errors import UsageError
from privstream.outputs.base import FrameOutput, Output
from privstream.outputs.console import STDERR, STDOUT, Console, Format
from privstream.settings.private_files import cache_dir, state_dir

if TYPE_CHECKING:  # start-up time
    from privstream.app.summary import Summary

INSTANT = 0.06
"""Seconds in which an exchange tells all that one fill has changed; nobody sees them pass."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Streams, variables, folders, the person who started it, and being told to stop."""

    variables: Mapping[str, str] = field(repr=False)
    """They may hold secrets."""
    stop: Stop
    stdin: TextIO
    console: Console
    person: Person
    stdout_is_open: bool = True
    stdout_is_terminal: bool = False
    colour: bool = False
    """On stdout."""
    zone: tzinfo | None = None
    """In which times are typed and shown; `None`: this computer's."""

    why_no_screen: str | None = "standard output is no terminal"
    """Why nothing can be shown on a whole screen; `None` where it can."""
    ascii_only: bool = False
    """What stdout can show."""

    def state_folder(self) -> Path:
        """Where nonces and what --resume keeps are; it is made where it is not there."""
        return state_dir(self.variables)

    def cache_folder(self) -> Path:
        """Where tokens are; it is made where it is not there."""
        return cache_dir(self.variables)

    def format(self, chosen: Format | None, *, json: bool = False) -> Format:
        """Readable on a terminal, JSON lines otherwise."""
        if chosen is not None:
            return chosen
        return Format.PRETTY if self.stdout_is_terminal and not json else Format.JSONL

    def output(
        self,
        kind: Format,
        accounts: Sequence[str],
        fields: Sequence[str] = (),
        *,
        masks: bool = False,
    ) -> Output | None:
        """What prints events on stdout; `None` where frames are printed, or nobody reads.

        `masks`: a person is shown no amounts and no ids.
        """
        if kind is Format.RAW or not self.stdout_is_open:
            return None
        if kind is Format.JSONL:
            from privstream.outputs.jsonl import JsonLines  # noqa: PLC0415 - start-up time

            return JsonLines(STDOUT, self.stop.patience)
        from privstream.outputs.calendar import Calendar  # noqa: PLC0415 - start-up time
        from privstream.outputs.pretty import Pretty  # noqa: PLC0415 - Rich only where it draws

        lines = Pretty(
            STDOUT,
            colour=self.colour,
            accounts=accounts,
            patience=self.stop.patience,
            calendar=Calendar(self.zone),
            fields=fields,
        )
        if not masks:
            return lines
        from privstream.outputs.privacy import Masking  # noqa: PLC0415 - start-up time

        return Masking(lines)

    def fields(self, text: str | None, kind: Format) -> tuple[str, ...]:
        """What `--fields` says. Raises UsageError where no line would have them."""
        if text is None:
            return ()
        if kind is not Format.PRETTY:
            hint = "from JSON lines a program picks its keys itself; --format pretty has columns"
            raise UsageError("--fields chooses columns of the lines for a person", hint)
        from privstream.outputs.fields import chosen  # noqa: PLC0415 - start-up time

        return chosen(text)

    def summary(self, kind: Format, *, masks: bool = False) -> "Summary | None":
        """What says at the end what was shown, where a person may read it."""
        if self.console.quiet or self.console.as_json or kind is Format.RAW:
            return None
        from privstream.app.summary import Summary  # noqa: PLC0415 - start-up time
        from privstream.outputs.calendar import Calendar  # noqa: PLC0415
        from privstream.outputs.terminal import line_width  # noqa: PLC0415

        calendar = Calendar(self.zone)
        return Summary(self.console.tell, calendar, cells=lambda: line_width(STDERR), masked=masks)

    def gathers(self, kind: Format) -> float:
        """Seconds for which lines wait for those of the same instant: on a terminal only."""
        return INSTANT if kind is Format.PRETTY and self.stdout_is_terminal else 0.0

    def frame_output(self, kind: Format) -> FrameOutput | None:
        """What prints frames on stdout, where those are wanted."""
        if kind is not Format.RAW or not self.stdout_is_open:
            return None
        from privstream.outputs.raw import RawFrames  # noqa: PLC0415 - start-up time

        return RawFrames(STDOUT, self.stop.patience)

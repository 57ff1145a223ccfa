"""What stands outside of the program: made once, by whoever starts it, and handed to what it does.

The one rule: nothing below looks anything of it up by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TextIO

from privstream.app.asking import Person
from privstream.delivery.signals import Stop
from privstream.outputs.base import FrameOutput, Output
from privstream.outputs.console import STDOUT, Console, Format
from privstream.settings.private_files import cache_dir, state_dir


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
        self, kind: Format, accounts: Sequence[str], *, masks: bool = False
    ) -> Output | None:
        """What prints events on stdout; `None` where frames are printed, or nobody reads.

        `masks`: a person is shown no amounts and no ids.
        """
        if kind is Format.RAW or not self.stdout_is_open:
            return None
        if kind is Format.JSONL:
            from privstream.outputs.jsonl import JsonLines  # noqa: PLC0415 - start-up time

            return JsonLines(STDOUT, self.stop.patience)
        from privstream.outputs.pretty import Pretty  # noqa: PLC0415 - Rich only where it draws

        lines = Pretty(STDOUT, colour=self.colour, accounts=accounts, patience=self.stop.patience)
        if not masks:
            return lines
        from privstream.outputs.privacy import Masking  # noqa: PLC0415 - start-up time

        return Masking(lines)

    def frame_output(self, kind: Format) -> FrameOutput | None:
        """What prints frames on stdout, where those are wanted."""
        if kind is not Format.RAW or not self.stdout_is_open:
            return None
        from privstream.outputs.raw import RawFrames  # noqa: PLC0415 - start-up time

        return RawFrames(STDOUT, self.stop.patience)

"""What `--to` and [sinks.NAME] name: files written at once, and sinks that couriers serve.

The one rule: everything that can be wrong is found before anything connects or is made.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from privstream.model.errors import ConfigError, UsageError
from privstream.model.nearest import suggestion
from privstream.outputs.destination import Opening, file_at
from privstream.settings.config import Config

if TYPE_CHECKING:  # start-up time: only where a sink is asked for
    from privstream.settings.sinks import SinkSettings


class Destinations:
    """Where events go beside standard output."""

    def __init__(self, files: Sequence[Opening], sinks: "Sequence[SinkSettings]") -> None:
        self.files = files
        self.sinks = sinks

    @property
    def names(self) -> list[str]:
        """The sinks that need an outbox."""
        return [sink.name for sink in self.sinks]


def narrowed(to: Destinations, only: str | None, min_value: Sequence[str]) -> Destinations:
    """With sinks that get only this, whatever their sections say; files get all. Raises UsageError."""
    if not to.sinks or (only is None and not min_value):
        return to
    from msgspec import structs  # noqa: PLC0415 - start-up time

    from privstream.model.choosing import kinds_of, values_of  # noqa: PLC0415

    given: dict[str, object] = {}
    if only is not None:
        given["only"] = kinds_of(only)
    if min_value:
        given["min_value"] = values_of(min_value)
    return Destinations(to.files, [structs.replace(sink, **given) for sink in to.sinks])


def destinations(to: Iterable[str], load: Callable[[], Config]) -> Destinations:
    """What the texts of `--to` name. Raises UsageError and ConfigError; nothing is opened yet."""
    files: list[Opening] = []
    sinks: list[SinkSettings] = []
    for text in dict.fromkeys(to):
        scheme, colon, rest = text.partition(":")
        if scheme == "file" and colon:
            files.append(file_at(rest, time.monotonic))
        else:
            sinks.append(_sink_of(text, load))
    for sink in [sink for sink in sinks if sink.scheme == "file"]:
        from privstream.app.sink_choice import choosing  # noqa: PLC0415 - only where it is named

        sinks.remove(sink)
        files.append(choosing(file_at(sink.url.partition(":")[2], time.monotonic), sink))
    return Destinations(files, sinks)


def _sink_of(text: str, load: Callable[[], Config]) -> "SinkSettings":
    from privstream.settings.sinks import SCHEMES, SINK_NAME, from_command_line  # noqa: PLC0415

    scheme, colon, _ = text.partition(":")
    if colon and scheme in SCHEMES:
        return from_command_line(text)
    if not SINK_NAME.fullmatch(text):
        # Not the text itself: it may hold a password.
        known = ", ".join(f"{scheme}:" for scheme in SCHEMES)
        raise UsageError("--to names no destination", f"write file:PATH, or one of {known}")
    config = load()
    if text not in config.sinks:
        hint = suggestion(
            text, config.sinks, f"write file:PATH, or a section [sinks.NAME] into {config.path}"
        )
        raise ConfigError("--to names no section [sinks.NAME] and no URL", hint)
    return config.sinks[text]

"""No secret is said in any fault: not in an event, a frame, a note, an error or an object.

A whole run of each exchange is lived through in memory, with every fault of the simulator; then
all that it said is printed by the very code that prints it for users, at every level.
"""

import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from privstream import exchanges
from privstream.delivery.printer import Printer
from privstream.delivery.stream import Ended, Item, Received
from privstream.model.errors import PrivstreamError
from privstream.model.events import Gap, Notice, Status
from privstream.outputs.console import Format
from privstream.simulator.faults import KINDS
from tests.joined import World
from tests.outside import environment
from tests.security.story import Story
from tests.security.treasure import Treasure, key_of, of_others, secret_of

LIVES: list[tuple[str, dict[str, str]]] = [
    *((name, {}) for name in exchanges.names()),
    ("kraken", {"protocol": "v1"}),
]
LEVELS: dict[str, dict[str, bool]] = {
    "-q": {"quiet": True},
    "default": {},
    "-v": {"verbose": True},
    "--debug": {"verbose": True, "debug": True},
    "--json": {"as_json": True},
}
FEW = 20
"""Orders, trades and balances that are printed of a run: they are all alike."""
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass
class Told:
    """A stream that is over: what it had told, in the order of its kinds."""

    story: Story
    end: PrivstreamError | None

    def __enter__(self) -> None:
        """Nothing is to be started."""

    def __exit__(self, *_: object) -> None:
        """Nor stopped."""

    def wake(self) -> None:
        """Nobody waits."""

    def leftovers(self) -> Iterator[Item]:
        """Nothing is left."""
        return iter(())

    lost = 0

    def items(self, pause: float, gather: float = 0.0) -> Iterator[Item | None]:
        del pause, gather
        few = Counter[type]()
        for event in self.story.world.events:
            few[type(event)] += 1
            if few[type(event)] <= FEW or isinstance(event, Status | Gap | Notice):
                yield [event]
        yield Received(tuple((frame, []) for frame in self.story.frames))
        yield Ended("account", self.end)


@pytest.mark.parametrize(("name", "options"), LIVES, ids=str)
def test_no_fault_makes_anything_say_a_secret(
    name: str,
    options: dict[str, str],
    treasure: Treasure,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    story = Story(name, monkeypatch, options)
    end = story.happen()
    assert {happened.fault.kind for happened in story.world.faults.happened} == (
        set(KINDS) - {"swallow"}  # who only watches gets no answer to swallow
    )
    assert len(story.world.sockets) > 5
    assert len(story.errors) > 5
    assert story.leaks(treasure) == {}

    printed = "".join(printed_at_every_level(story, end, monkeypatch, capfdbinary))
    assert "trying again" in printed
    assert treasure.leaks(printed) == []
    assert OBEYED.findall(printed) == []


def printed_at_every_level(
    story: Story,
    end: PrivstreamError | None,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Iterator[str]:
    """Stdout and stderr, once for every level; the three formats take turns."""
    formats = [Format.JSONL, Format.PRETTY, Format.RAW]
    for number, level in enumerate(LEVELS.values()):
        stderr = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stderr)
        outside = environment({}, None, **level)
        console = outside.console
        tap = console.tap(None)
        for told in story.taps:
            if tap is not None:
                tap(*told.split(" ", 1))
        for note in story.world.notes:
            console.note(note)
        kind = formats[number % len(formats)]
        Printer(
            console,
            outside.stop,
            outside.output(kind, ["account"]),
            outside.frame_output(kind),
            show_status=True,
        ).run(Told(story, end))  # type: ignore[arg-type]  # all that a printer needs of a stream
        yield stderr.getvalue()
        yield capfdbinary.readouterr().out.decode()


def test_what_is_looked_for_is_found(treasure: Treasure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The greps themselves: a secret that is planted in each place is found there."""
    story = Story("kraken", monkeypatch)
    story.happen()
    signature = next(text for text in treasure.texts if text.endswith("=="))
    story.world.notes.append(f"connected with {signature[:44]}")
    story.taps.append(f'out {{"token":"{key_of("kraken")[::-1]}"}}')
    story.errors.append(PrivstreamError("refused", hint=secret_of("kraken").replace("=", "%3D")))
    found = story.leaks(treasure)
    assert found.keys() == {"notes", "frames for a recording", "errors"}


@pytest.mark.parametrize("name", exchanges.names())
def test_what_an_exchange_repeats_of_a_login_is_not_passed_on(
    name: str, treasure: Treasure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as an event, nor raw, nor in a recording, nor in an error."""
    story = Story(name, monkeypatch, faults=())

    def repeat(world: World) -> None:
        for secret in treasure.secrets.keys() - of_others(name):
            for text in (secret, secret.replace("/", "\\/")):
                frame = (
                    f'{{"event":"error","type":"error","message":"no: {text}","junk":[1,"{text}"]}}'
                )
                world.sockets[-1]._waiting.append(frame.encode())

    story.world.at(20, repeat)
    story.happen(25)
    said = story.said()
    assert "<secret>" in said["frames as received"]
    assert "<secret>" in said["events"]
    assert story.leaks(treasure) == {}

"""What a sink gets: in doubt it is delivered, and never more than its settings say."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from privstream.app.destinations import Destinations, narrowed
from privstream.app.sink_choice import ChosenOutput, SinkChoice, choosing
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent
from privstream.outputs.jsonl import encode_lines
from privstream.outputs.sinks.base import Row
from privstream.settings.sinks import SinkSettings, from_command_line
from tests.outputs.output_events import BALANCE, GAP, NOTICE, ORDER, STATUS, TRADE

EVENTS: tuple[AnyEvent, ...] = (ORDER, TRADE, BALANCE, NOTICE, GAP, STATUS)
SMALL = structs.replace(TRADE, symbol="BTC/EUR", cost="999.99", quantity="0.01")
LARGE = structs.replace(TRADE, symbol="BTC/EUR", cost="1000", quantity="0.01")
UNKNOWN = structs.replace(TRADE, symbol=None, cost=None, quantity=None)


def settings(**given: Any) -> SinkSettings:
    return structs.replace(from_command_line("https://hook.example/in"), **given)


def row(event: AnyEvent) -> Row:
    kind, line = str(type(event).__struct_config__.tag), encode_lines((event,))[:-1]
    return Row(event.exchange, event.account, "1", 1, kind, event.id, line)


def chosen(choice: SinkChoice, *events: AnyEvent) -> list[AnyEvent]:
    """Those that the sink gets; its rows are judged as its events are."""
    found = [event for event in events if choice.wants(event)]
    assert found == [event for event in events if choice.wants_row(row(event))]
    return found


@pytest.mark.parametrize(
    ("given", "events"),
    [
        ({}, EVENTS),
        ({"types": frozenset({"trade", "gap"})}, (TRADE, GAP)),
        ({"only": frozenset({"fills", "silence"})}, (TRADE, STATUS)),
        ({"only": frozenset({"fills", "gaps"}), "types": frozenset({"gap"})}, (GAP,)),
        ({"accounts": frozenset({"other"})}, ()),
    ],
)
def test_a_sink_gets_what_it_wants(given: dict[str, Any], events: tuple[AnyEvent, ...]) -> None:
    assert chosen(SinkChoice(settings(**given)), *EVENTS) == [*events]


def test_states_of_the_connections_are_for_who_names_them() -> None:
    assert STATUS not in chosen(SinkChoice(settings(), statuses=False), *EVENTS)
    only = SinkChoice(settings(only=frozenset({"silence"})), statuses=False)
    assert chosen(only, *EVENTS) == [STATUS]
    assert only.takes_statuses


def test_small_fills_are_left_out_and_nothing_else() -> None:
    choice = SinkChoice(settings(min_value={"EUR": Decimal(1000)}))
    assert chosen(choice, SMALL, LARGE, UNKNOWN, ORDER, GAP) == [LARGE, UNKNOWN, ORDER, GAP]


def test_what_the_command_line_says_goes_before_the_section() -> None:
    sink = settings(only=frozenset({"gaps"}))
    [found] = narrowed(Destinations([], [sink]), "fills", ["1000EUR"]).sinks
    assert chosen(SinkChoice(found), SMALL, LARGE, GAP) == [LARGE]
    [same] = narrowed(Destinations([], [sink]), None, ()).sinks
    assert same is sink
    with pytest.raises(UsageError, match="--only"):
        narrowed(Destinations([], [sink]), "nothing", ())


class Kept:
    """An output in memory."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.done: list[str] = []

    def write(self, events: Any, /) -> None:
        self.events += events

    def reopen(self) -> None:
        self.done.append("reopened")

    def close(self) -> None:
        self.done.append("closed")


def test_a_file_of_the_config_gets_what_its_section_says() -> None:
    kept = Kept()
    output = choosing(lambda: kept, settings(types=frozenset({"gap"})))()
    output.write(EVENTS)
    output.write([TRADE])
    assert isinstance(output, ChosenOutput)
    output.reopen()
    output.close()
    assert kept.events == [GAP]
    assert kept.done == ["reopened", "closed"]
    assert choosing(lambda: kept, settings())() is kept

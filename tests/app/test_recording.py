"""Replays: real frames and recordings through the sessions of a watch, never an exception."""

from pathlib import Path

import pytest

from privstream import exchanges
from privstream.app.recording import Head, read_entry, read_head
from privstream.app.replay import Batch, Player, ReplayRequest, exchange_of, lines_of
from privstream.delivery.signals import Stop
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent, Notice, Trade
from tests.corpus import FOLDER, needs_corpus
from tests.valid import assert_valid


def replayed(lines: list[bytes], exchange: str, protocol: str | None = None) -> list[AnyEvent]:
    """The events of bare frames, as `privstream replay --exchange` makes them."""
    request = ReplayRequest(file="-", exchange=exchange, protocol=protocol, raw=True)
    return list(Player(lines, request).events())


PROTOCOLS = [
    (name, protocol)
    for name in exchanges.names()
    for protocol in (("v1", "v2") if name == "kraken" else (None,))
]


def files(name: str) -> list[list[bytes]]:
    """The lines of every file of real frames of an exchange."""
    return [path.read_bytes().splitlines() for path in sorted((FOLDER / name).rglob("*.jsonl"))]


@needs_corpus
@pytest.mark.parametrize(("name", "protocol"), PROTOCOLS)
def test_every_file_of_real_frames_replays_into_valid_events(
    name: str, protocol: str | None
) -> None:
    for lines in files(name):
        for event in replayed(lines, name, protocol):
            assert_valid(event)


@needs_corpus
@pytest.mark.parametrize(("name", "protocol"), PROTOCOLS)
def test_every_real_frame_replays_by_itself(name: str, protocol: str | None) -> None:
    for frame in {line for lines in files(name) for line in lines}:
        replayed([frame], name, protocol)


@needs_corpus
def test_a_captured_bitfinex_session_replays_into_its_trades() -> None:
    path = FOLDER / "bitfinex" / "session_bbgo_2025-08-21.jsonl"
    events = replayed(path.read_bytes().splitlines(), "bitfinex")
    trades = [event for event in events if isinstance(event, Trade)]
    assert trades
    assert len({trade.trade_id for trade in trades}) == len(trades)
    assert all(trade.fee is not None for trade in trades)


def test_a_refusal_in_a_replay_is_a_notice() -> None:
    refusal = (
        b'{"error":"EGeneral:Permission denied","method":"subscribe","req_id":1,"success":false}'
    )
    [event] = replayed([refusal], "kraken")
    assert isinstance(event, Notice)
    assert event.level == "error"


HEAD = (
    b'{"recording":"privstream","version":1,"exchange":"kraken","account":"mine",'
    b'"options":{"protocol":"v2"},"channels":["orders"],"started":"2026-11-20T11:32:00.000000Z"}'
)
OPEN = b'{"time":"2026-11-20T11:32:01.000000Z","direction":"open","frame":""}'


def test_a_recording_names_its_account_and_its_times() -> None:
    frame = b'{"time":"2026-11-20T11:32:02.000000Z","direction":"in","frame":"junk"}'
    [event] = Player([HEAD, OPEN, b"", frame], ReplayRequest(file="-")).events()
    assert (event.account, event.received) == ("mine", "2026-11-20T11:32:02.000000Z")


def test_a_line_that_is_none_of_a_recording_is_named() -> None:
    player = Player([HEAD, OPEN, b"half a li"], ReplayRequest(file="-"))
    with pytest.raises(UsageError, match="line 3"):
        list(player.events())


def test_a_newer_recording_is_refused_and_a_bare_frame_is_no_head() -> None:
    with pytest.raises(UsageError, match="version 2"):
        read_head(HEAD.replace(b'"version":1', b'"version":2'))
    with pytest.raises(UsageError, match="head"):
        read_head(b'{"recording":"privstream"}')
    assert read_head(b'{"channel":"heartbeat"}') is None
    assert read_head(b"no json") is None
    with pytest.raises(UsageError):
        read_entry(b"[]", 7)


def test_an_exchange_of_a_replay_can_log_in_nowhere() -> None:
    head = read_head(HEAD)
    assert isinstance(head, Head)
    assert exchange_of(head).account.api_secret.reveal() == "none"


def test_a_protocol_that_the_exchange_does_not_have_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="v9"):
        replayed([], "kraken", "v9")
    with pytest.raises(UsageError, match="v1"):
        replayed([], "poloniex", "v1")


def test_what_a_chunk_of_frames_tells_is_written_at_once_and_before_more_is_waited_for(
    tmp_path: Path,
) -> None:
    file = tmp_path / "frames"
    file.write_bytes(b"\n".join(b'{"odd":%d}' % number for number in range(10_000)))
    batches: list[int] = []
    batch = Batch()
    batch.takers.append(lambda events: batches.append(len(events)))
    request = ReplayRequest(file=str(file), exchange="kraken")
    with Stop() as stop, file.open("rb") as frames:
        for event in Player(lines_of(frames, stop, batch.flush), request).events():
            batch.events.append(event)
    batch.flush()
    assert sum(batches) == 10_000
    assert len(batches) <= 4

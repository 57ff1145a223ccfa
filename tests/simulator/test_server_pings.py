"""Pings of the WebSocket protocol go through the real server, and so do their pongs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import websocket

from privstream.model.rest import Now
from privstream.simulator.server import Simulation

FLAG = "cf_ws_frame_ping_pong=true"


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> Now:
        return Now(1_780_000_123_400_000_000 + int(self.seconds * 1e9), self.seconds)


@contextmanager
def dialled(hands: Hands, **options: Any) -> Iterator[websocket.WebSocket]:
    with Simulation(["indodax"], clock=hands) as served:
        account = served.account("indodax", {})
        socket = websocket.create_connection(
            account.endpoints.ws_url, timeout=5, suppress_origin=True, **options
        )
        try:
            token = served.exchanges["indodax"].tokens.issue(hands())  # type: ignore[attr-defined]  # this exchange has them
            socket.send(f'{{"connect":{{"token":"{token}"}},"id":1}}')
            assert '"connect"' in socket.recv()
            yield socket
        finally:
            socket.shutdown()  # type: ignore[no-untyped-call]  # it has no types


def test_a_ping_arrives_and_its_pong_keeps_the_socket_open() -> None:
    hands = Hands()
    with dialled(hands) as socket:
        for _ in range(3):
            hands.seconds += 25
            opcode, frame = socket.recv_data_frame(control_frame=True)
            assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PING, b"")
            socket.ping("and you")  # its pong comes after ours was read
            opcode, frame = socket.recv_data_frame(control_frame=True)
            assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"and you")


def test_without_a_pong_the_socket_is_cut_without_a_close_frame() -> None:
    hands = Hands()
    with dialled(hands) as socket:
        hands.seconds += 28
        with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
            socket.recv_data_frame(control_frame=True)


def test_a_browser_is_turned_away() -> None:
    with Simulation(["indodax"]) as served:
        url = served.account("indodax", {}).endpoints.ws_url
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            websocket.create_connection(url, timeout=5)
    assert caught.value.status_code == 403

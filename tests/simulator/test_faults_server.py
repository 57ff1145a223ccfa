"""Faults on loopback: what they look like in the bytes that a client gets."""

import http.client
import json
import signal
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from privstream.model.account import Account
from privstream.model.rest import Now
from privstream.simulator import find
from privstream.simulator.base import (
    Answer,
    Connection,
    Out,
    Request,
    SimulatedExchange,
    Text,
)
from privstream.simulator.faults import Happened
from privstream.simulator.faults.line import JUNK
from privstream.simulator.server import Simulation, system_clock
from tests.cli.conftest import Program

UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Client:
    """A bare socket that reads frames as they come and sends short ones."""

    def __init__(self, simulation: Simulation, name: str = "kraken") -> None:
        account = simulation.account(name, {})
        host, port = account.endpoints.rest_url.removeprefix("http://").split(":")
        self.address = host, int(port)
        self.path = "/" + account.endpoints.ws_url.split("/", 3)[3]
        self.socket = socket.create_connection(self.address, timeout=5)
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.socket.close()

    def dial(self) -> Self:
        self.socket.sendall(UPGRADE % self.path.encode())
        assert b"101" in self.stream.readline()
        while self.stream.readline() != b"\r\n":
            pass
        return self

    def header(self) -> tuple[int, int]:
        """Opcode and length of the next frame; zeros where the connection ended."""
        head = self.stream.read(2)
        if not head:
            return 0, 0
        length = head[1]
        if length == 126:
            (length,) = struct.unpack("!H", self.stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.stream.read(8))
        return head[0] & 15, length

    def frame(self) -> tuple[int, bytes]:
        opcode, length = self.header()
        return opcode, self.stream.read(length)

    def text(self) -> str:
        opcode, payload = self.frame()
        assert opcode == 1
        return payload.decode()

    def send(self, opcode: int, payload: bytes = b"") -> None:
        """A masked frame whose mask changes nothing."""
        self.socket.sendall(bytes([128 | opcode, 128 | len(payload), 0, 0, 0, 0]) + payload)

    def say(self, message: Any) -> None:
        self.send(1, json.dumps(message).encode())


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken"], rate=20.0) as served:
        yield served


@pytest.fixture
def client(simulation: Simulation) -> Iterator[Client]:
    with Client(simulation) as connected:
        connected.dial().text()
        yield connected


def strike(simulation: Simulation, fault: str) -> None:
    simulation.faults["kraken"].strike(fault)


def test_a_drop_is_an_end_without_a_close_frame(simulation: Simulation, client: Client) -> None:
    strike(simulation, "drop")
    assert client.socket.recv(100) == b""


def test_a_reset_is_a_reset(simulation: Simulation, client: Client) -> None:
    strike(simulation, "reset")
    with pytest.raises(ConnectionResetError):
        client.socket.recv(100)


def test_a_close_has_its_code_and_reason(simulation: Simulation, client: Client) -> None:
    strike(simulation, "close=1012:restart")
    assert client.frame() == (8, struct.pack("!H", 1012) + b"restart")


def test_a_stalled_socket_answers_neither_pings_nor_a_goodbye(
    simulation: Simulation, client: Client
) -> None:
    strike(simulation, "stall")
    wait_for(simulation)
    client.send(9, b"there?")
    client.say({"method": "ping"})
    client.send(8, struct.pack("!H", 1000))
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.socket.recv(100)


def test_a_stall_that_ends_hears_and_says_what_waited(
    simulation: Simulation, client: Client
) -> None:
    strike(simulation, "stall=0.2")
    wait_for(simulation)
    client.say({"method": "ping", "req_id": 7})
    client.send(9, b"there?")
    assert json.loads(client.text())["req_id"] == 7
    assert client.frame() == (10, b"there?")
    client.send(8, struct.pack("!H", 1000))
    assert client.frame()[0] == 8


def test_the_end_of_a_stalled_client_is_seen(simulation: Simulation) -> None:
    with Client(simulation) as client:
        client.dial().text()
        strike(simulation, "stall")
        wait_for(simulation)
        assert simulation.faults["kraken"].sockets == 1
    while simulation.faults["kraken"].sockets:
        threading.Event().wait(0.005)


def test_a_huge_frame_is_announced_and_never_comes(simulation: Simulation, client: Client) -> None:
    strike(simulation, "huge")
    assert client.header() == (1, 1 << 62)


def test_a_really_huge_frame_comes_whole(simulation: Simulation, client: Client) -> None:
    strike(simulation, "huge=300000")
    assert client.frame() == (1, b'"' + b"x" * 299_998 + b'"')


def test_junk_is_no_json_or_no_known_message(simulation: Simulation, client: Client) -> None:
    strike(simulation, "junk=3")
    assert {client.text() for _ in range(3)} <= set(JUNK)


# --- frames that are cut or slow -------------------------------------------------------


ANSWER = json.dumps("all that the account did " * 8)


class Chatty(SimulatedExchange, Connection):
    """An exchange that answers everything, at its next tick, with the same account frame."""

    name = "chatty"

    def __init__(self, *, seed: int = 1, rate: float = 1.0, limits: bool = True) -> None:
        self.asked = (seed, rate, limits)
        self.owed = 0

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        return find("kraken")(seed=1, rate=1.0).account(base_url, options)

    def request(self, request: Request, now: Now) -> Answer:
        raise AssertionError(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection:
        self.asked_at = (handshake, now)
        return self

    def opened(self, now: Now) -> list[Out]:
        return [Text(f'"{now.wall_ns}"')]

    def received(self, text: str, now: Now) -> list[Out]:
        self.owed += bool(now.wall_ns and text)
        return []

    def tick(self, now: Now) -> list[Out]:
        owed, self.owed = self.owed, 0
        return [Text(ANSWER)] * owed if now.wall_ns else []


def pieces(client: Client, size: int) -> list[bytes]:
    """What comes, read by read, until so many bytes came or the end."""
    came: list[bytes] = []
    while sum(map(len, came)) < size and (piece := client.socket.recv(4096)):
        came.append(piece)
    return came


@pytest.fixture
def chatting() -> Iterator[Client]:
    faults = {"chatty": ["drip=0.1@n=2", "drop=half@n=4"]}
    with (
        Simulation([], exchanges={"chatty": Chatty()}, faults=faults) as served,
        Client(served, "chatty") as client,
    ):
        client.dial().text()
        yield client


def test_a_frame_drips_and_nothing_comes_between(chatting: Client) -> None:
    chatting.say("go")
    came = [chatting.socket.recv(1)]
    chatting.send(9, b"there?")
    whole = b"\x81\x7e" + struct.pack("!H", len(ANSWER)) + ANSWER.encode()
    pong = bytes([128 | 10, 6]) + b"there?"
    came += pieces(chatting, len(whole) + len(pong) - 1)
    assert len(came) > 5
    assert b"".join(came) == whole + pong


def test_a_frame_is_torn_in_half_by_the_end(chatting: Client) -> None:
    for _ in range(3):
        chatting.say("go")
    assert [chatting.text() for _ in range(2)] == [ANSWER] * 2
    rest = chatting.stream.read()
    assert rest[4:] == ANSWER.encode()[: len(rest) - 4]
    assert len(rest) == (len(ANSWER) + 4) // 2


# --- everybody, and the truth ----------------------------------------------------------


def test_http_faults_answer_rest_and_handshakes_with_retry_after(simulation: Simulation) -> None:
    strike(simulation, "http=429:30")
    with Client(simulation) as client:
        asking = http.client.HTTPConnection(*client.address, timeout=5)
        asking.request("GET", "/0/public/Time")
        answer = asking.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
        asking.close()
        client.socket.sendall(UPGRADE % b"/v2")
        assert b"429" in client.stream.readline()


def wait_for(simulation: Simulation, count: int = 1) -> None:
    """Until so many faults have struck; it takes a twentieth of a second."""
    while len(simulation.happened) < count:
        threading.Event().wait(0.005)


def test_planned_faults_and_chaos_strike_each_exchange_and_the_truth_outlives_the_stop() -> None:
    told: list[Happened] = []
    undisturbed: Any = find("kraken")(seed=1, rate=50.0)
    undisturbed.market.advance(system_clock())
    with Simulation(
        ["kraken", "indodax"],
        rate=50.0,
        faults={"kraken": ["close=1012@50ms", "drop@60ms"]},
        chaos=0.1,
        chaos_kinds=["expire"],
        tell=told.append,
    ) as served:
        with Client(served) as client:
            client.dial().text()
        wait_for(served, 6)
    happened = served.happened
    assert sorted(told, key=lambda one: one.wall_ns) == happened
    assert {h.exchange for h in happened} == {"kraken", "indodax"}
    assert [h.fault.kind for h in happened if h.exchange == "kraken"][:2] == ["close", "drop"]
    disturbed: Any = served.exchanges["kraken"]
    undisturbed.market.advance(system_clock())
    assert disturbed.market.books.trades
    truth = undisturbed.market.books.trades
    assert disturbed.market.books.trades.items() <= {k: truth.get(k) for k in truth}.items()


def test_the_command_tells_each_fault_on_stderr(tmp_path: Path) -> None:
    options = ["kraken", "--port", "0", "--fault", "drop@100ms", "--fault", "http=503:5@150ms"]
    with Program(tmp_path).start("simulate", *options) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        process.wait()
    assert lines[1].endswith("Z kraken: drop@0.1s (nobody was connected)\n")
    assert lines[2].endswith("Z kraken: http=503:5s@0.15s\n")

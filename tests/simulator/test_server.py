"""The simulation on loopback: the real thing, with a client of another make."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from privstream.model.errors import UsageError
from privstream.simulator import find, names
from privstream.simulator.faults import Fault
from privstream.simulator.server import Simulation
from tests.simulator.desk import FORM, START, sign

Talk = Callable[[aiohttp.ClientSession], Awaitable[None]]


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken"], rate=20.0) as served:
        yield served


def talk(story: Talk) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.wait_for(story(session), 10)

    asyncio.run(run())


def endpoints(simulation: Simulation) -> tuple[str, str]:
    account = simulation.account("kraken", {})
    return account.endpoints.rest_url, account.endpoints.ws_url


async def token(session: aiohttp.ClientSession, simulation: Simulation) -> str:
    account = simulation.account("kraken", {})
    path, body = "/0/private/GetWebSocketsToken", b"nonce=1"
    headers = {
        "API-Key": account.api_key.reveal(),
        "API-Sign": sign(path, "1", body, account.api_secret.reveal()),
        "Content-Type": FORM,
    }
    async with session.post(account.endpoints.rest_url + path, data=body, headers=headers) as got:
        assert got.status == 200
        return str((await got.json())["result"]["token"])


def test_a_client_gets_a_token_subscribes_and_hears_of_the_account(simulation: Simulation) -> None:
    async def story(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(endpoints(simulation)[1]) as line:
            assert (await line.receive_json())["channel"] == "status"
            params = {"channel": "executions", "token": await token(session, simulation)}
            await line.send_json({"method": "subscribe", "params": params})
            frames = [await line.receive_json() for _ in range(5)]
            assert [frame.get("sequence") for frame in frames] == [None, 1, 2, 3, 4]
            await line.ping()

    talk(story)


def test_both_protocols_and_rest_share_the_port(simulation: Simulation) -> None:
    async def story(session: aiohttp.ClientSession) -> None:
        rest, ws = endpoints(simulation)
        async with session.get(rest + "/0/public/AssetPairs?pair=XBTEUR") as got:
            assert list((await got.json())["result"]) == ["XXBTZEUR"]
        async with session.ws_connect(ws.removesuffix("v2")) as line:
            assert (await line.receive_json())["event"] == "systemStatus"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            await session.ws_connect(ws + "/nowhere")

    talk(story)


def test_a_message_that_is_too_big_or_binary_ends_the_socket(simulation: Simulation) -> None:
    async def story(session: aiohttp.ClientSession) -> None:
        for message, code in (("x" * 70_000, 1009), (b"{}", 1003)):
            async with session.ws_connect(endpoints(simulation)[1]) as line:
                await line.receive()
                await (
                    line.send_str(message) if isinstance(message, str) else line.send_bytes(message)
                )
                await line.receive()
                assert line.close_code == code

    talk(story)


def test_a_request_that_is_too_big_is_refused(simulation: Simulation) -> None:
    async def story(session: aiohttp.ClientSession) -> None:
        url = endpoints(simulation)[0] + "/0/private/Balance"
        async with session.post(url, data=b"x" * 70_000) as got:
            assert got.status == 413

    talk(story)


def test_ports_count_up_and_end_at_the_last_one() -> None:
    two = {name: find("kraken")(seed=1, rate=1.0) for name in ("one", "other")}
    with pytest.raises(OSError, match="no port 65536"):
        Simulation([], port=65_535, exchanges=two).start()


@pytest.mark.parametrize("code", [None, 1012])
def test_a_fault_ends_the_open_sockets_and_spares_the_next(
    simulation: Simulation, code: int | None
) -> None:
    async def story(session: aiohttp.ClientSession) -> None:
        url, faults = endpoints(simulation)[1], simulation.faults["kraken"]
        async with session.ws_connect(url) as line:
            await line.receive()
            faults.strike(Fault("drop") if code is None else Fault("close", count=code))
            await line.receive()
            assert line.close_code == (code or 1006)
        async with session.ws_connect(url) as line:
            await line.receive()
            await line.send_json({"method": "ping", "req_id": 1})
            assert (await line.receive_json())["method"] == "pong"

    talk(story)


def test_a_mute_exchange_keeps_the_socket_and_says_nothing(simulation: Simulation) -> None:
    async def story(session: aiohttp.ClientSession) -> None:
        faults = simulation.faults["kraken"]
        async with session.ws_connect(endpoints(simulation)[1]) as line:
            await line.receive()
            faults.mute()
            await line.send_json({"method": "ping", "req_id": 1})
            with pytest.raises(TimeoutError):
                await line.receive(timeout=0.2)
            faults.mute(on=False)
            await line.send_json({"method": "ping", "req_id": 2})
            assert (await line.receive_json())["req_id"] == 2

    talk(story)


def test_it_ends_at_once_with_a_client_that_never_answers() -> None:
    simulation = Simulation(["kraken"])
    simulation.start()
    host, port = endpoints(simulation)[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as stubborn:
        stubborn.sendall(
            b"GET /v2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert stubborn.recv(100).startswith(b"HTTP/1.1 101")
        stopper = threading.Thread(target=simulation.stop)
        stopper.start()
        stopper.join(timeout=1.0)
        assert not stopper.is_alive()


def test_a_taken_port_is_an_os_error_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with Simulation(["kraken"]) as first:
        port = int(endpoints(first)[0].rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Simulation(["kraken"], port=port).start()
    assert threading.active_count() == before


@pytest.mark.usefixtures("own_past")
def test_a_restart_on_the_same_port_tells_the_same_trades() -> None:
    def history(simulation: Simulation) -> dict[str, Any]:
        kraken: Any = simulation.exchanges["kraken"]
        kraken.market.advance(START)
        return dict(kraken.market.books.trades)

    with Simulation(["kraken"], seed=9, clock=lambda: START) as first:
        port = int(endpoints(first)[0].rpartition(":")[2])
        before = history(first)
    with Simulation(["kraken"], seed=9, port=port, clock=lambda: START) as second:
        assert history(second) == before


def test_exchanges_are_found_by_their_module() -> None:
    assert "kraken" in names()
    assert not {"base", "faults", "market", "server"} & set(names())
    assert find("kraken").name == "kraken"
    with pytest.raises(UsageError, match="no simulated exchange"):
        find("nasdaq")


def test_the_account_is_the_same_after_every_start() -> None:
    accounts = []
    for protocol in ("v1", "v2"):
        with Simulation(["kraken"]) as simulation:
            accounts.append(simulation.account("kraken", {"protocol": protocol}))
    assert accounts[0].credentials == accounts[1].credentials
    assert accounts[0].endpoints.ws_url.endswith("/")
    assert accounts[1].endpoints.ws_url.endswith("/v2")
    assert json.dumps(str(accounts)).count(accounts[0].api_secret.reveal()) == 0


def test_a_client_that_leaves_in_the_middle_of_its_request_is_nothing_to_log(
    simulation: Simulation, caplog: pytest.LogCaptureFixture
) -> None:
    port = simulation.account("kraken", {}).endpoints.rest_url.rpartition(":")[2]
    with socket.create_connection(("127.0.0.1", int(port))) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf")
        # It is reset instead of closed.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with socket.create_connection(("127.0.0.1", int(port))) as next_one:
        next_one.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while next_one.recv(4096):
            pass
    assert caplog.records == []

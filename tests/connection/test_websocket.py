"""An open WebSocket, against a scripted server on loopback."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from privstream.connection.clock import SystemClock
from privstream.connection.socket import websocket
from privstream.connection.socket.websocket import Closed, Socket, dial
from privstream.model.errors import Interrupted
from privstream.model.rest import Now
from privstream.model.session import Handshake
from tests.connection.certificates import Certificates
from tests.connection.loopback import (
    Script,
    frame,
    read_a_word,
    read_frame,
    read_head,
    serve,
    switch_protocols,
    websocket_script,
)

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LONG = 10.0


class SteppedClock(SystemClock):
    """The real clock, but time can be skipped."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> Now:
        now = super().now()
        return now._replace(monotonic=now.monotonic + self.skipped)


@contextmanager
def connected(*sent: bytes, then: Script | None = None) -> Iterator[Socket]:
    with serve(websocket_script(*sent, then=then)) as server:
        line = dial(Handshake(url=f"ws://127.0.0.1:{server.port}/v2"))
        try:
            yield line
        finally:
            line.abort()
            line.close()


def take(line: Socket, count: int) -> list[bytes]:
    got: list[bytes] = []
    while len(got) < count:
        more = line.receive(LONG)
        assert more, "nothing came"
        got += more
    return got


def test_frames_that_came_with_the_handshake_are_not_lost() -> None:
    with connected(frame(b"one"), frame(b"two")) as line:
        assert take(line, 2) == [b"one", b"two"]


def test_a_burst_is_told_in_order_and_whole() -> None:
    sent = [f"message {number} {'x' * (number % 700)}".encode() for number in range(5000)]
    with connected(*map(frame, sent)) as line:
        assert take(line, len(sent)) == sent


def test_nothing_within_the_time_limit_is_an_empty_list() -> None:
    with connected() as line:
        assert line.receive(0.0) == []
        assert line.receive(0.01) == []


def test_half_a_frame_survives_a_time_out() -> None:
    rest = threading.Event()
    whole = frame(b"x" * 1000)

    def send_rest(connection: socket.socket) -> None:
        rest.wait(LONG)
        connection.sendall(whole[500:])
        read_a_word(connection)

    with connected(whole[:500], then=send_rest) as line:
        assert line.receive(0.05) == []
        assert line.receive(0.0) == []
        rest.set()
        assert take(line, 1) == [b"x" * 1000]


def test_what_is_sent_arrives_masked_and_whole() -> None:
    heard: list[tuple[int, bytes]] = []

    def listen(connection: socket.socket) -> None:
        heard.extend((read_frame(connection), read_frame(connection)))
        connection.sendall(frame(b"heard"))
        read_a_word(connection)

    with connected(then=listen) as line:
        line.send('{"e":"é"}')
        line.ping(b"42")
        assert take(line, 1) == [b"heard"]
    assert heard == [(TEXT, '{"e":"é"}'.encode()), (PING, b"42")]


def test_a_ping_is_answered_by_the_read_that_meets_it() -> None:
    heard: list[tuple[int, bytes]] = []

    def listen(connection: socket.socket) -> None:
        heard.append(read_frame(connection))
        connection.sendall(frame(b"after"))
        read_a_word(connection)

    with connected(frame(b"before") + frame(b"are you there", PING), then=listen) as line:
        assert take(line, 2) == [b"before", b"after"]
    assert heard == [(PONG, b"are you there")]


def test_a_pong_is_told_with_its_payload_after_the_messages_before_it() -> None:
    def answer_ping(connection: socket.socket) -> None:
        _, payload = read_frame(connection)
        connection.sendall(frame(payload, PONG) + frame(b"after"))
        read_a_word(connection)

    with connected(frame(b"hello"), then=answer_ping) as line:
        take(line, 1)
        assert line.controls() == []
        line.ping(b"17")
        take(line, 1)
        assert line.controls() == [b"17"]
        assert line.controls() == []


def test_a_close_comes_after_the_messages_before_it_with_its_code_and_reason() -> None:
    heard: list[tuple[int, bytes]] = []
    reason = "restart\x1b[2J " + "é" * 40

    def listen(connection: socket.socket) -> None:
        heard.append(read_frame(connection))

    goodbye = frame(struct.pack("!H", 1012) + reason.encode(), CLOSE)
    with connected(frame(b"last") + goodbye, then=listen) as line:
        assert take(line, 1) == [b"last"]
        for _ in range(2):
            with pytest.raises(Closed) as caught:
                line.receive(LONG)
        assert caught.value.code == 1012
        assert caught.value.reason == "restart[2J " + "é" * 40
        assert caught.value.floor == 5.0
        assert caught.value.retryable
    assert heard == [(CLOSE, struct.pack("!H", 1012))]


@pytest.mark.parametrize("payload", [b"", b"\x03"])
def test_a_close_without_a_code_is_1005(payload: bytes) -> None:
    with connected(frame(payload, CLOSE)) as line, pytest.raises(Closed) as caught:
        line.receive(LONG)
    assert caught.value.code == 1005
    assert caught.value.reason == ""


def test_the_end_of_the_stream_is_an_interruption_after_the_last_message() -> None:
    with connected(frame(b"last") + b"\x81\x7e", then=lambda _: None) as line:
        assert take(line, 1) == [b"last"]
        with pytest.raises(Interrupted) as caught:
            line.receive(LONG)
    assert not isinstance(caught.value, Closed)
    assert caught.value.cause == "disconnected"


def test_a_reset_connection_is_an_interruption() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with connected(then=reset) as line, pytest.raises(Interrupted):
        line.receive(LONG)


@pytest.mark.parametrize(
    "mistake",
    [
        b"\x81\x7f" + struct.pack("!Q", 2**62),
        b"\x81\x85\x00\x00\x00\x00hello",
        frame(b"x", TEXT | 0x40),
        frame(b"x", 5),
        frame(b"x", 0),
        frame(b"x", PING, final=False),
    ],
    ids=["huge", "masked", "reserved", "opcode", "continuation", "control"],
)
def test_a_broken_protocol_is_told_after_the_good_messages_and_closed_with_1002(
    mistake: bytes,
) -> None:
    heard: list[tuple[int, bytes]] = []

    def listen(connection: socket.socket) -> None:
        heard.append(read_frame(connection))

    with connected(frame(b"good") + mistake, then=listen) as line:
        assert take(line, 1) == [b"good"]
        with pytest.raises(Interrupted) as caught:
            line.receive(LONG)
        line.close()
    assert caught.value.cause == "protocol"
    assert heard == [(CLOSE, struct.pack("!H", 1002))]


def test_a_frame_that_drips_for_more_than_half_a_minute_is_given_up() -> None:
    clock, drip = SteppedClock(), threading.Semaphore(0)
    whole = frame(b"x" * 1000)

    def send_slowly(connection: socket.socket) -> None:
        for place in (10, 11):
            drip.acquire(timeout=LONG)
            connection.sendall(whole[place : place + 1])
        read_a_word(connection)

    with serve(websocket_script(frame(b"first"), whole[:10], then=send_slowly)) as server:
        line = dial(Handshake(url=f"ws://127.0.0.1:{server.port}/"), socket=Socket(clock))
        take(line, 1)
        clock.skipped = 29.0
        drip.release()
        assert line.receive(LONG) == []
        clock.skipped = 31.0
        drip.release()
        with pytest.raises(Interrupted, match="not whole after 30 s"):
            line.receive(LONG)
        clock.skipped = 32.0
        with pytest.raises(Interrupted, match="not whole"):
            line.receive(0.0)
        line.close()


def test_further_fragments_do_not_make_a_message_younger() -> None:
    clock, more = SteppedClock(), threading.Semaphore(0)

    def send_fragments(connection: socket.socket) -> None:
        for _ in range(2):
            more.acquire(timeout=LONG)
            connection.sendall(frame(b"part", 0, final=False) + frame(b"", PONG))
        read_a_word(connection)

    first = frame(b"begin", TEXT, final=False)
    with serve(websocket_script(frame(b"x"), first, then=send_fragments)) as server:
        line = dial(Handshake(url=f"ws://127.0.0.1:{server.port}/"), socket=Socket(clock))
        take(line, 1)
        clock.skipped = 20.0
        more.release()
        assert line.receive(LONG) == []
        clock.skipped = 31.0
        more.release()
        with pytest.raises(Interrupted, match="not whole"):
            line.receive(LONG)
        line.close()


def test_a_stream_that_is_never_at_rest_is_not_taken_for_a_drip() -> None:
    clock, more = SteppedClock(), threading.Semaphore(0)
    whole = frame(b"x" * 100)

    def send_offset(connection: socket.socket) -> None:
        for _ in range(4):
            more.acquire(timeout=LONG)
            connection.sendall(whole[50:] + whole[:50])
        read_a_word(connection)

    with serve(websocket_script(frame(b"first"), whole[:50], then=send_offset)) as server:
        line = dial(Handshake(url=f"ws://127.0.0.1:{server.port}/"), socket=Socket(clock))
        take(line, 1)
        for _ in range(4):
            clock.skipped += 20.0
            more.release()
            assert take(line, 1) == [b"x" * 100]
            assert line.receive(0.0) == []
        line.close()


def test_abort_frees_a_blocked_receive() -> None:
    with connected() as line:
        causes: list[str] = []

        def read() -> None:
            with pytest.raises(Interrupted) as caught:
                line.receive(60.0)
            causes.append(caught.value.cause)

        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.05)
        line.abort()
        reader.join(LONG)
        assert causes == ["stopped"]


def test_abort_frees_a_send_that_the_server_does_not_take() -> None:
    done = threading.Event()

    def listen(_: socket.socket) -> None:
        done.wait(LONG)

    with connected(then=listen) as line:
        failed: list[BaseException] = []

        def flood() -> None:
            try:
                while True:
                    line.send("x" * 100_000)
            except Interrupted as problem:
                failed.append(problem)

        sender = threading.Thread(target=flood)
        sender.start()
        sender.join(0.1)
        line.abort()
        sender.join(LONG)
        done.set()
        assert failed


def test_after_abort_nothing_is_sent_or_told_any_more() -> None:
    with connected(frame(b"one")) as line:
        line.abort()
        line.receive(0.0)  # what had come with the handshake
        with pytest.raises(Interrupted):
            line.receive(0.0)
        with pytest.raises(Interrupted):
            line.send("secret")
        line.close()


def test_close_says_goodbye_and_waits_for_the_answer() -> None:
    heard: list[tuple[int, bytes]] = []

    def listen(connection: socket.socket) -> None:
        heard.append(read_frame(connection))
        connection.sendall(frame(b"late") + frame(struct.pack("!H", 1000), CLOSE))

    with connected(then=listen) as line:
        line.close()
        line.close()
    assert heard == [(CLOSE, struct.pack("!H", 1000))]


def test_close_does_not_wait_for_a_server_that_keeps_talking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_LIMIT", 0.1)

    def babble(connection: socket.socket) -> None:
        while True:
            connection.sendall(frame(b"x" * 1000) * 100)

    with connected(then=babble) as line:
        line.close()  # comes back, although it talks for ever


def test_everything_works_over_tls_too(certificates: Certificates) -> None:
    sent = [f"{number} {'x' * (number * 37 % 40_000)}".encode() for number in range(300)]
    heard: list[tuple[int, bytes]] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(switch_protocols(read_head(connection)))
        for message in sent:
            connection.sendall(frame(message))
        heard.append(read_frame(connection))
        connection.sendall(frame(struct.pack("!H", 1000), CLOSE))
        read_frame(connection)

    with serve(talk, certificates.good()) as server:
        line = dial(Handshake(url=f"wss://localhost:{server.port}/"))
        assert take(line, len(sent)) == sent
        assert line.receive(0.0) == []
        line.send("bye")
        with pytest.raises(Closed):
            take(line, 1)
        line.close()
    assert heard == [(TEXT, b"bye")]


def test_one_read_takes_all_tls_records_that_are_here(certificates: Certificates) -> None:
    sent = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(switch_protocols(read_head(connection)))
        read_frame(connection)
        for _ in range(20):
            connection.sendall(frame(b"x" * 600))
        sent.set()
        read_a_word(connection)

    with serve(talk, certificates.good()) as server:
        line = dial(Handshake(url=f"wss://localhost:{server.port}/"))
        line.send("go")
        assert sent.wait(LONG)
        assert len(line.receive(LONG)) == 20
        line.close()


def test_abort_frees_a_receive_over_tls(certificates: Certificates) -> None:
    with serve(websocket_script(), certificates.good()) as server:
        line = dial(Handshake(url=f"wss://localhost:{server.port}/"))
        stopper = threading.Timer(0.05, line.abort)
        stopper.start()
        with pytest.raises(Interrupted, match="stopped"):
            line.receive(60.0)
        stopper.join()
        line.close()


def test_no_connection_no_message() -> None:
    line = Socket()
    with pytest.raises(Interrupted):
        line.receive(0.0)
    line.close()

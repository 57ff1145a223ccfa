"""Dialling a WebSocket: what is sent, what is refused, and that it never hangs."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from privstream import __version__
from privstream.connection.socket.websocket import Socket, dial
from privstream.model.errors import (
    ConfigError,
    Interrupted,
    LoginRefused,
    PrivstreamError,
    RateLimited,
    Unavailable,
    Unreachable,
    Untrusted,
)
from privstream.model.session import Handshake
from tests.connection.certificates import Certificates
from tests.connection.loopback import (
    Script,
    answer,
    frame,
    read_a_word,
    read_head,
    read_until_closed,
    serve,
    switch_protocols,
    websocket_script,
)

LONG = 10.0
CANARY = "PSCANARY0123456789abcdef"


def handshake(port: int, scheme: str = "ws", host: str = "127.0.0.1") -> Handshake:
    return Handshake(
        url=f"{scheme}://{host}:{port}/v2?sign={CANARY}", headers={"signature": CANARY}
    )


def says(text: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(text)

    return script


def refused(script: Script, **options: float) -> PrivstreamError:
    """The error of a dial against this server; nothing of the request is in it."""
    with serve(script) as server, pytest.raises(PrivstreamError) as caught:
        dial(handshake(server.port), **options)  # type: ignore[arg-type] # only `timeout`
    return whole(caught.value)


def whole(error: PrivstreamError) -> PrivstreamError:
    seen: BaseException | None = error
    while seen is not None:
        assert CANARY not in str(seen) + repr(seen)
        seen = seen.__cause__
    return error


def test_the_handshake_has_our_headers_and_no_origin() -> None:
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(switch_protocols(heads[0]))
        read_a_word(connection)

    with serve(script) as server:
        dial(handshake(server.port)).close()
    lines = heads[0].decode().lower().split("\r\n")
    assert lines[0] == f"get /v2?sign={CANARY} http/1.1".lower()
    assert f"signature: {CANARY}".lower() in lines
    assert f"user-agent: privstream/{__version__}" in lines
    assert not [line for line in lines if line.startswith("origin")]


@pytest.mark.parametrize("header", ["a\r\nX-Injected: 1", "a\nb", "\x00"])
def test_a_header_with_a_line_break_is_never_sent(header: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dial(Handshake(url="ws://127.0.0.1:1/", headers={"api-key": header}))
    assert "api-key" in caught.value.message
    assert header not in caught.value.message


def test_an_address_that_is_no_websocket_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        dial(Handshake(url="https://127.0.0.1/"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (answer(401, b'{"error":"bad key"}'), LoginRefused),
        (answer(401, b"<html>no", "Content-Type: text/html"), LoginRefused),
        (answer(403, b'{"error":"no"}', "Content-Type: application/json"), LoginRefused),
        (answer(403, b"<html>blocked", "Content-Type: text/html"), Unavailable),
        (answer(403, b"forbidden"), Unavailable),
        (answer(408, b"{}"), Unavailable),
        (answer(404, b"{}"), Unavailable),
        (answer(200, b"<html>portal", "Content-Type: text/html"), Unavailable),
        (answer(500, b"busy"), Unavailable),
        (answer(503), Unavailable),
        (b"HTTP/1.1 503 x\r\n\r\n<html>no length", Unavailable),
        (b"HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\ncut off", Unavailable),
        (b"HTTP/1.1 503 x\r\nContent-Length: many\r\n\r\nbusy", Unavailable),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", Unavailable),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Unreachable),
        (b"", Unreachable),
        (b"\xff\xfe\r\n\r\n", Unreachable),
    ],
)
def test_every_refusal_has_its_category(text: bytes, kind: type[PrivstreamError]) -> None:
    error = refused(says(text))
    assert isinstance(error, kind)
    assert error.category == kind.category
    assert "127.0.0.1" in error.message


def test_a_page_in_the_way_is_quoted_and_explained() -> None:
    error = refused(says(answer(403, b"<html>\x1b[1mBlocked by IT", "Content-Type: text/html")))
    assert "403" in error.message
    assert "Blocked by IT" in error.message
    assert "\x1b" not in error.message
    assert error.hint == "a proxy or firewall may be in between"


@pytest.mark.parametrize(
    ("headers", "floor"),
    [((), 15.0), (("Retry-After: 40",), 40.0), (("Retry-After: 9999",), 600.0)],
)
def test_too_many_handshakes_wait_as_told(headers: tuple[str, ...], floor: float) -> None:
    error = refused(says(answer(429, b"{}", *headers)))
    assert isinstance(error, RateLimited)
    assert error.floor == floor


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with serve(read_until_closed) as target:
        location = f"Location: ws://127.0.0.1:{target.port}/"
        error = refused(says(answer(status, b"", location)))
        assert target.connections == 0
    assert isinstance(error, Unavailable)
    assert "redirects are never followed" in error.message


def test_a_refusal_with_an_endless_body_is_read_to_64_kb_only() -> None:
    taken = 0

    def flood(connection: socket.socket) -> None:
        nonlocal taken
        read_head(connection)
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 9999999999\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                taken += connection.send(b"x" * 65536)

    assert isinstance(refused(flood), Unavailable)
    # What lies in the socket's buffers was sent but not read.
    assert taken < 16 * 1024 * 1024


def test_a_flood_of_headers_is_cut_off() -> None:
    def flood(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        while True:
            connection.sendall(b"X-Filler: " + b"x" * 8000 + b"\r\n")

    assert isinstance(refused(flood), Unavailable)


def test_a_mute_server_is_given_up_in_time() -> None:
    error = refused(read_until_closed, timeout=0.2)
    assert type(error) is Unreachable
    assert "no answer in time" in error.message


def test_a_dripping_handshake_does_not_stretch_the_time() -> None:
    """It would go on for minutes if each byte gave it more time."""

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        stop = threading.Event()
        for byte in b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 1000:
            connection.sendall(bytes([byte]))
            stop.wait(0.02)

    assert refused(drip, timeout=0.3).retryable


def test_a_server_that_is_mute_in_the_tls_handshake_is_given_up_in_time() -> None:
    with serve(read_until_closed) as server, pytest.raises(Unreachable) as caught:
        dial(handshake(server.port, "wss"), timeout=0.2)
    assert type(whole(caught.value)) is Unreachable


def test_a_closed_port_is_unreachable_and_names_the_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(
        Unreachable, match=r"cannot reach 127\.0\.0\.1: connection refused"
    ) as caught:
        dial(handshake(port))
    assert whole(caught.value).retryable


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"cannot reach a\.\.b: its name does not resolve"):
        dial(Handshake(url="ws://a..b/"))


@pytest.mark.parametrize("why", ["expired", "wrong host", "unknown authority"])
def test_a_certificate_that_does_not_verify_is_final(certificates: Certificates, why: str) -> None:
    with serve(websocket_script(), certificates.refused(why)) as server:
        with pytest.raises(Untrusted) as caught:
            dial(handshake(server.port, "wss", "localhost"))
        assert server.connections == 1
    error = whole(caught.value)
    assert not error.retryable
    assert "cannot trust localhost: " in error.message


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(certificates: Certificates) -> None:
    del certificates
    with serve(read_a_word) as server, pytest.raises(Unreachable) as cut_off:
        dial(handshake(server.port, "wss", "localhost"))
    assert cut_off.value.retryable
    plain = serve(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    with plain as server, pytest.raises(Untrusted):
        dial(handshake(server.port, "wss", "localhost"))


def test_tls_keys_are_not_written_where_the_environment_asks_for_them(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with serve(websocket_script(), certificates.good()) as server:
        dial(handshake(server.port, "wss", "localhost")).close()
    assert not (tmp_path / "keys").exists()


def assert_abort_ends(attempt: Handshake) -> None:
    """Without the abort it would end as unreachable, much later."""
    line = Socket()
    stopper = threading.Timer(0.1, line.abort)
    stopper.start()
    with pytest.raises(Interrupted) as caught:
        dial(attempt, socket=line)
    assert caught.value.cause == "stopped"
    stopper.join()


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_abort_ends_a_handshake(scheme: str) -> None:
    with serve(read_until_closed) as server:
        assert_abort_ends(handshake(server.port, scheme))


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """An address that does not answer: its backlog is full, so the kernel drops attempts."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_abort_ends_a_connect_that_nobody_answers() -> None:
    with black_hole() as (_, port):
        assert_abort_ends(handshake(port))


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with black_hole() as mute, serve(websocket_script(frame(b"hello"))) as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", mute),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        line = dial(handshake(server.port), timeout=0.8)
        assert line.receive(LONG) == [b"hello"]
        line.close()


def test_abort_ends_a_name_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        done.wait(LONG)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert_abort_ends(handshake(1))
    done.set()


def test_what_was_aborted_before_is_not_dialled() -> None:
    with serve(read_until_closed) as server:
        line = Socket()
        line.abort()
        with pytest.raises(Interrupted):
            dial(handshake(server.port), socket=line)
        line.close()


def test_the_second_address_is_tried_when_the_first_is_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        dead = gone.getsockname()
    with serve(websocket_script(frame(b"hello"))) as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", dead),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        line = dial(handshake(server.port))
        assert line.receive(LONG) == [b"hello"]
        line.close()


def proxy_script(heads: list[bytes], status: bytes, then: Script) -> Script:
    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nVia: test\r\n\r\n")
        then(connection)

    return script


def test_a_proxy_of_the_environment_gets_only_the_host_name(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[bytes] = []

    def tunnelled(connection: socket.socket) -> None:
        context = certificates.refused("wrong host")  # issued for exchange.example
        with context.wrap_socket(connection, server_side=True) as secured:
            websocket_script(frame(b"through"))(secured)

    with serve(proxy_script(heads, b"200 OK", tunnelled)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        line = dial(handshake(443, "wss", "exchange.example"))
        assert line.receive(LONG) == [b"through"]
        line.abort()
        line.close()
    assert heads[0].startswith(b"CONNECT exchange.example:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in heads[0]
    assert CANARY.encode() not in heads[0]


def test_a_proxy_that_wants_a_password_is_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(proxy_script([], b"407 Proxy Authentication Required", lambda _: None)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Unreachable, match=r"proxy.*HTTP 407") as caught:
            dial(handshake(443, "wss", "exchange.example"))
    assert caught.value.hint


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "http://:99999", "http://u:PSC@h:x"])
def test_a_proxy_that_cannot_be_used_is_refused_without_quoting_it(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(ConfigError) as caught:
        dial(handshake(443, "wss", "exchange.example"))
    assert value not in caught.value.message


def test_a_loopback_host_is_never_reached_through_a_proxy(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serve(websocket_script(), certificates.good()) as server:
        dial(handshake(server.port, "wss", "localhost")).close()
    with serve(websocket_script()) as server:
        dial(handshake(server.port)).close()


def test_the_library_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refused(says(answer(403, CANARY.encode()[:8])))
    with serve(websocket_script(frame(b"x"))) as server:
        line = dial(handshake(server.port))
        line.send(CANARY)
        line.close()
    assert CANARY not in caplog.text

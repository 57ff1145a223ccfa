"""The outside world is kept out: servers, variables and files that want more than they may have."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from privstream.cli.entry import run
from privstream.connection.socket.websocket import dial
from privstream.model.errors import ConfigError, LoginRefused, Unavailable, Untrusted
from privstream.model.rest import HttpRequest
from privstream.model.session import Handshake
from privstream.settings.config import load
from tests.connection.certificates import Certificates
from tests.connection.loopback import (
    Script,
    answer,
    read_head,
    read_until_closed,
    serve,
    switch_protocols,
)
from tests.connection.rest_desk import Maker, ask
from tests.security.treasure import Treasure, canary

KEY, SIGNATURE = canary(50), canary(51)
HEADERS = {"API-Key": KEY, "API-Sign": SIGNATURE, "Content-Type": "application/json"}
FORM = f"client=tapi&tapi_key={KEY}".encode()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    maker = Maker(tmp_path / "state")
    yield maker
    maker.close()


def says(text: bytes, heads: list[bytes]) -> Script:
    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(text)

    return script


def shake_hands(port: int, scheme: str = "ws", host: str = "127.0.0.1") -> None:
    dial(Handshake(f"{scheme}://{host}:{port}/v2", HEADERS)).close()


def chain(error: BaseException) -> str:
    """All that an error and its causes say, as far as a traceback would show them."""
    seen: BaseException | None = error
    said = ""
    while seen is not None:
        said += f"{seen!r} {seen} {vars(seen)}\n"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return said


# --- redirects -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize(
    "place", ["{scheme}://127.0.0.1:{other}/", "/elsewhere", "//127.0.0.1:{other}"]
)
@pytest.mark.parametrize("protocol", ["ws", "http"])
def test_nobody_is_told_the_key_but_who_was_asked(
    protocol: str, place: str, status: int, make: Maker
) -> None:
    """A redirect to another host or port, to the same host, without a scheme."""
    heads: list[bytes] = []
    post = HttpRequest("POST", "/x", HEADERS, FORM)
    asked: dict[str, Callable[[int], object]] = {
        "ws": shake_hands,
        "http": lambda port: make(port).run(ask(post)),
    }
    with serve(read_until_closed) as other:
        location = place.format(scheme=protocol, other=other.port)
        with serve(says(answer(status, b"", f"Location: {location}"), heads)) as server:
            with pytest.raises(Unavailable, match="redirects are never followed"):
                asked[protocol](server.port)
            assert server.connections == len(heads) == 1
        assert other.connections == 0


# --- what a server repeats -------------------------------------------------------------------


def test_a_refusal_that_repeats_the_key_is_told_without_it(treasure: Treasure, make: Maker) -> None:
    treasure.add(KEY)
    treasure.add(SIGNATURE)
    body = f'{{"error":"no {KEY} {SIGNATURE}"}}'.encode()
    with serve(says(answer(401, body), [])) as server, pytest.raises(LoginRefused) as refused:
        shake_hands(server.port)
    assert "no <secret> <secret>" in refused.value.message
    assert treasure.leaks(chain(refused.value)) == []

    rest = HttpRequest("POST", "/x", HEADERS, FORM)
    with serve(says(answer(500, body), [])) as server:
        [response] = make(server.port).run(ask(rest))
    assert response.body == b'{"error":"no <secret> <secret>"}'
    with serve(says(answer(500, body), [])) as server:
        form = HttpRequest("POST", "/x", {"Sign": SIGNATURE}, FORM)
        [response] = make(server.port).run(ask(form))
    assert response.body == b'{"error":"no <secret> <secret>"}'


def test_a_nonce_or_a_short_word_that_is_repeated_stays(make: Maker) -> None:
    headers = {"bfx-nonce": "1790000000000000", "key": "1790000000"}
    body = b'{"id":1790000000000000}'
    with serve(says(answer(200, body), [])) as server:
        [response] = make(server.port).run(ask(HttpRequest("GET", "/x", headers)))
    assert response.body == body


# --- whom the environment wants trusted ------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["WEBSOCKET_CLIENT_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
)
def test_no_variable_of_a_library_makes_a_socket_trust_anybody(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = Certificates(tmp_path, monkeypatch)
    monkeypatch.setenv(name, os.environ["SSL_CERT_FILE"])
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with serve(read_until_closed, certificates.good()) as server, pytest.raises(Untrusted):
        shake_hands(server.port, "wss", "localhost")


def test_the_socket_asks_no_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.touch(0o600)
    netrc.write_text(f"machine 127.0.0.1 login somebody password {KEY}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(switch_protocols(heads[0]))

    with serve(script) as server:
        dial(Handshake(f"ws://127.0.0.1:{server.port}/")).close()
    assert b"authorization" not in heads[0].lower()


# --- where the key is sent to ----------------------------------------------------------------


def test_only_the_file_moves_an_exchange_and_the_start_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.touch(0o600)
    path.write_text(
        f'[accounts.bitfinex]\napi_key = "{KEY}"\napi_secret = "{SIGNATURE}"\n'
        '[exchanges.bitfinex]\nrest_url = "http://127.0.0.1:1"\nws_url = "ws://127.0.0.1:1/ws/2"\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PRIVSTREAM_CONFIG", str(path))
    for variable in ("REST_URL", "WS_URL", "URL", "HOST", "ENDPOINT", "BASE_URL"):
        monkeypatch.setenv(f"BITFINEX_{variable}", "https://evil.test")
        monkeypatch.setenv(f"PRIVSTREAM_{variable}", "https://evil.test")
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    assert run(["watch", "bitfinex", "--max-retries", "0"]) == 5
    said = capfd.readouterr().err
    assert "evil.test" not in said
    assert f"bitfinex: rest_url from {path}: http://127.0.0.1:1\n" in said
    assert f"bitfinex: ws_url from {path}: ws://127.0.0.1:1/ws/2\n" in said


@pytest.mark.parametrize("name", ["kraken", "bitfinex", "poloniex", "indodax", "zerocap"])
def test_a_key_that_would_add_a_header_goes_nowhere(name: str, tmp_path: Path) -> None:
    for bad in ("\r\nX-Evil: 1", "\n", "\r", "\0", "\x1b]0;x\x07", "\u2028"):
        refuse_key(name, bad, tmp_path)


def refuse_key(name: str, bad: str, home: Path) -> None:
    variables = {f"{name.upper()}_API_KEY": KEY + bad + "x", f"{name.upper()}_API_SECRET": KEY}
    config = load({"HOME": str(home), **variables})
    with pytest.raises(ConfigError) as refused:
        config.account(name)
    assert f"{name.upper()}_API_KEY" in refused.value.message
    assert KEY not in chain(refused.value)

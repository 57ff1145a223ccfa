"""Running REST flows: whose certificate is trusted, and which way they go."""

import logging
import os
import socket
from pathlib import Path

import pytest

from privstream.model.errors import Unreachable, Untrusted
from tests.connection.certificates import Certificates
from tests.connection.loopback import (
    answer,
    read_a_word,
    read_head,
    serve,
)
from tests.connection.rest_desk import CANARY, Maker, ask, failure, request, says, serving

# --- trust -------------------------------------------------------------------------------


def test_a_certificate_of_a_trusted_authority_is_accepted(
    make: Maker, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with serve(says(answer(200, b"[1]")), certificates.good()) as server:
        (response,) = make(server.port, scheme="https", host="localhost").run(ask())
    assert response.body == b"[1]"
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("why", ["expired", "wrong host", "unknown authority"])
def test_a_certificate_that_does_not_verify_is_final(
    make: Maker, certificates: Certificates, why: str
) -> None:
    heads: list[bytes] = []
    with serve(says(answer(200), heads=heads), certificates.refused(why)) as server:
        error = failure(make(server.port, scheme="https", host="localhost"))
    assert isinstance(error, Untrusted)
    assert not error.retryable
    assert "cannot trust localhost: " in error.message
    assert not heads


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_variables_of_requests_do_not_change_whom_we_trust(
    make: Maker, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # SSL_CERT_FILE names the authority; take it away and offer it by the other name.
    monkeypatch.setenv(name, os.environ["SSL_CERT_FILE"])
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", os.environ["SSL_CERT_FILE"])
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with serve(says(answer(200)), certificates.good()) as server:
        error = failure(make(server.port, scheme="https", host="localhost"))
    assert isinstance(error, Untrusted)


def test_a_server_that_hangs_up_in_the_tls_handshake_is_a_passing_fault(
    make: Maker, certificates: Certificates
) -> None:
    del certificates
    with serve(read_a_word) as server:
        error = failure(make(server.port, scheme="https", host="localhost"))
    assert error.retryable


# --- proxies -----------------------------------------------------------------------------


def test_a_proxy_of_the_environment_gets_only_the_host_name(
    make: Maker, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    heads: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        context = certificates.refused("wrong host")  # issued for exchange.example
        with context.wrap_socket(connection, server_side=True) as secured:
            says(answer(200, b"[7]"))(secured)

    with serve(proxy) as server:
        monkeypatch.setenv("https_proxy", f"http://me:p%40ss@127.0.0.1:{server.port}")
        rest = make(443, scheme="https", host="exchange.example")
        (response,) = rest.run(ask(request(f"/x?sign={CANARY}")))
    assert response.body == b"[7]"
    assert not (tmp_path / "keys").exists()
    assert heads[0].startswith(b"CONNECT exchange.example:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in heads[0]
    assert CANARY.encode() not in heads[0]


def test_no_proxy_and_loopback_hosts_go_straight(
    make: Maker, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serve(says(answer(200)), certificates.good()) as server:
        make(server.port, scheme="https", host="localhost").run(ask())
    with serve(says(answer(200))) as server:
        make(server.port).run(ask())


def test_a_proxy_that_refuses_is_a_passing_fault(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(says(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as server:
        monkeypatch.setenv("https_proxy", f"http://name:{CANARY}@127.0.0.1:{server.port}")
        error = failure(make(443, scheme="https", host="exchange.example"))
    assert type(error) is Unreachable
    assert "the proxy of https_proxy refuses the connection: HTTP 407" in error.message
    assert "https_proxy" in (error.hint or "")
    assert CANARY not in error.message + (error.hint or "")


def test_a_proxy_that_breaks_off_is_named_beside_the_host(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(says(b"")) as server:
        monkeypatch.setenv("https_proxy", f"http://name:{CANARY}@127.0.0.1:{server.port}")
        error = failure(make(443, scheme="https", host="exchange.example"))
    assert "cannot reach exchange.example" in error.message
    assert f"the proxy 127.0.0.1:{server.port}" in (error.hint or "")
    assert CANARY not in error.message + (error.hint or "")


def test_the_libraries_log_nothing(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(answer(200)) as (server, _):
        make(server.port).run(ask(request(f"/x?signature={CANARY}")))
    assert not caplog.records
